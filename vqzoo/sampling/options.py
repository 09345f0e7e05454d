"""What a user may choose about sampling."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """How codes are drawn from a prior; `vqzoo.sampling.logit_filters` says what each filter does.

    Args:
        temperature: float above 0; logits are divided by it. 1 samples the model as it is. There
            is no 0: `top_k=1` takes the most likely code.
        top_k: int or `None`; only the `top_k` most likely codes of a position may be drawn, as in
            arXiv:1805.04833.
        top_p: float in (0, 1] or `None`; only the most likely codes that together reach this
            probability may be drawn, as in arXiv:1904.09751. After `top_k`, where both are given.
        incremental: bool; `False` computes the whole map anew for every position, to the same
            codes: a slow way to check the fast one.

    Raises:
        ValueError: if an argument is outside its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    incremental: bool = True

    def __post_init__(self):
        if not 0 < self.temperature < float("inf"):
            raise ValueError(
                "`temperature` must be above 0; top_k=1 takes the most likely code. "
                f"Received: temperature={self.temperature}"
            )
        if self.top_k is not None and (self.top_k < 1 or self.top_k != int(self.top_k)):
            raise ValueError(f"`top_k` must be an int, 1 or more. Received: top_k={self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"`top_p` must be in (0, 1]. Received: top_p={self.top_p}")
