"""The logistic distribution over grey levels 0 .. num_bins - 1."""

import math

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_choice
from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed

BIN_STARTS = {"half": -0.5, "left": 0.0}
"""Where the bin of grey level 0 begins; each bin is one grey level wide."""


@keras.saving.register_keras_serializable(package="vqzoo")
class DiscretizedLogistic(Likelihood):
    """Grey level `v` has the mass of a logistic distribution on its bin, one grey level wide.

    With half edges the bin is [v - 1/2, v + 1/2], and 0 and the last level take their tails, as
    in Section 2.1 of arXiv:1701.05517. With left edges it is [v, v + 1) without tails, Eq. 8 of
    arXiv:1711.11479: a mean of v + 1/2 fits level v best. Without tails the masses add up to less
    than 1, so that bits which rest on them are too many, never too few.

    Eq. 8 for `b` colour levels, c = 256 / b grey levels wide, is `DiscretizedLogistic(b, "left")`
    of `images // c`, `mean / c` and `scale / c`: it merges c fine bins into one, exactly.

    Args:
        num_bins: int, number of grey levels.
        edges: "half" or "left", as above.
        saturate: bool, whether the first and the last level take their tails; None for what the
            papers do: with half edges they do, with left edges they do not.

    Raises:
        ValueError: if an argument is none of these.
    """

    def __init__(self, num_bins=256, edges="half", saturate=None):
        super().__init__(num_bins)
        self.edges = checked_choice(edges, "edges", BIN_STARTS)
        self.saturate = None if saturate is None else checked_bool(saturate, "saturate")

    def log_prob(self, images, mean, scale):
        """Log-probability of every value, float32 nats, of the shape all three broadcast to.

        Exact to float32's relative precision, with finite gradients, for means within +-1e4
        and scales in [1e-3, 1e4]: nothing is clamped.

        Args:
            images: integers in 0 .. num_bins - 1, any dtype.
            mean: float, in grey levels: 0 is black, `num_bins - 1` white.
            scale: positive float, in grey levels; pi / sqrt(3) scales are a standard deviation.
        """
        images, mean, scale = as_floats(images=images, mean=mean, scale=scale)
        start = images + BIN_STARTS[self.edges]
        # sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(l - u)): three logarithms
        # of one sign, so that nothing cancels wherever the bin lies.
        below = ops.log_sigmoid((start + 1.0 - mean) / scale)
        above = ops.log_sigmoid((mean - start) / scale)
        inside = below + above + _log_one_minus_exp(1.0 / scale)
        if not self._saturates():
            return inside
        last = ops.where(images >= self.num_bins - 1, above, inside)
        return ops.where(images <= 0, below, last)

    def mean(self, mean, scale):
        """Expected grey level of `sample`, float32: it cannot leave 0 .. num_bins - 1."""
        mean, scale = as_floats(mean=mean, scale=scale)
        # The sum over v >= 1 of P(value >= v), each of which is one tail of the distribution.
        starts = ops.arange(1, self.num_bins, dtype="float32") + BIN_STARTS[self.edges]
        return ops.sum(ops.sigmoid((mean[..., None] - starts) / scale[..., None]), axis=-1)

    def draw(self, mean, scale, uniform):
        """The int32 grey levels at which the distribution function passes `uniform`, in (0, 1).

        What falls beyond the first or the last level becomes that level, tails or not.
        """
        mean, scale, uniform = as_floats(mean=mean, scale=scale, uniform=uniform)
        return self.to_levels(mean + scale * (ops.log(uniform) - ops.log1p(-uniform)))

    def to_levels(self, values):
        """The int32 grey levels in whose bins float `values` lie, or the nearest ones."""
        (values,) = as_floats(values=values)
        levels = ops.floor(values - BIN_STARTS[self.edges])
        return ops.cast(ops.clip(levels, 0, self.num_bins - 1), "int32")

    def sample(self, mean, scale, seed=None):
        """One int32 grey level for each pair of `mean` and `scale`, which are broadcast."""
        mean, scale = as_floats(mean=mean, scale=scale)
        uniform = keras.random.uniform(ops.shape(mean + scale), seed=draw_seed(seed))
        return self.draw(mean, scale, uniform)

    def distribution(self, mean, scale):
        """A `tfp.distributions.Distribution` of the same probabilities."""
        mean, scale = as_floats(mean=mean, scale=scale)
        from vqzoo.likelihoods import tfp_distributions  # the rest runs without TensorFlow

        return tfp_distributions.Discretized("Logistic", mean, scale, likelihood=self)

    def get_config(self):
        return {**super().get_config(), "edges": self.edges, "saturate": self.saturate}

    def _saturates(self):
        return self.edges == "half" if self.saturate is None else self.saturate


def _log_one_minus_exp(width):
    """log(1 - exp(-width)) for float `width` > 0, by the form that keeps its digits."""
    narrow = width < math.log(2)
    # The other form sees a harmless number where it is not chosen: the gradient of a value that
    # `where` discards would turn into nan otherwise.
    wide = ops.log1p(-ops.exp(-ops.where(narrow, 1.0, width)))
    return ops.where(narrow, ops.log(-ops.expm1(-width)), wide)
