"""What a user may choose about sampling."""

import dataclasses

from vqzoo.checks import checked_bool, checked_int, checked_number


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
        checked_number(
            self.temperature,
            "temperature",
            "above 0, finite; top_k=1 takes the most likely code",
            lambda temperature: 0 < temperature < float("inf"),
        )
        if self.top_k is not None:
            checked_int(self.top_k, "top_k")
        if self.top_p is not None:
            checked_number(self.top_p, "top_p", "in (0, 1]", lambda top_p: 0 < top_p <= 1)
        checked_bool(self.incremental, "incremental")
