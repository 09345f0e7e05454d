"""How a value is drawn from what a causal network says of a position."""

from keras import ops

from vqzoo.sampling.logit_filters import keep_top_k, keep_top_p, with_temperature
from vqzoo.sampling.noise import gumbel_noise, uniform_noise


class CodeDraws:
    """Codes from the softmax of logits.

    Args:
        num_codes: int.
        options: `SamplingOptions`; its `top_k` and `top_p` count.
    """

    def __init__(self, num_codes, options):
        self.num_codes, self.options = num_codes, options

    def noise(self, keys, positions):
        """Gumbel noise, float32 `(*positions.shape, batch, num_codes)`."""
        return gumbel_noise(keys, positions, self.num_codes)

    def choose(self, logits, noise, temperature):
        """The codes that win after filtering: argmax of logits plus noise, int32 `(batch,)`.

        Args:
            logits, noise: float32 `(batch, num_codes)`; with Gumbel noise the argmax is a draw from
                the softmax of the filtered logits (the Gumbel-Max trick, arXiv:1411.0030).
            temperature: float32 `(batch,)`.
        """
        logits = with_temperature(logits, temperature)
        if self.options.top_k is not None:
            logits = keep_top_k(logits, self.options.top_k)
        if self.options.top_p is not None:
            logits = keep_top_p(logits, self.options.top_p)
        return ops.cast(ops.argmax(logits + noise, axis=-1), "int32")


class PixelDraws:
    """Pixels from a likelihood's parameters, by its `draw`.

    Args:
        likelihood: such as `DiscretizedLogisticMixture`.
        options: `SamplingOptions`, whose filters are of codes alone.

    Raises:
        ValueError: if `options` filter.
    """

    def __init__(self, likelihood, options):
        for name, plain in (("temperature", 1.0), ("top_k", None), ("top_p", None)):
            if getattr(options, name) != plain:
                raise ValueError(
                    f"`{name}` must be {plain}: it is for codes, and these are pixels. "
                    f"Received: {getattr(options, name)}"
                )
        self.likelihood = likelihood

    def noise(self, keys, positions):
        """Uniform noise, float32 `(*positions.shape, batch, num_uniforms)`."""
        return uniform_noise(keys, positions, self.likelihood.num_uniforms)

    def choose(self, parameters, noise, temperature):
        """int32 `(batch, channels)`; `temperature` is not read."""
        return self.likelihood.draw(parameters, noise)
