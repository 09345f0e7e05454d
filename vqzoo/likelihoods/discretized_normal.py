"""The normal distribution over grey levels 0 .. num_bins - 1."""

import math

import keras
from keras import ops

from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed
from vqzoo.likelihoods.normal_tail import scaled_tail, tail

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
# Gauss-Legendre nodes (distance from the middle, in half widths) and weights, four points
NODES = ((0.3399810435848563, 0.6521451548625461), (0.8611363115940526, 0.3478548451374538))


@keras.saving.register_keras_serializable(package="vqzoo")
class DiscretizedNormal(Likelihood):
    """Grey level `v` has the normal's mass on [v - 1/2, v + 1/2]; 0 and the last take their tails.

    Bins and tails are those of Section 2.1 of arXiv:1701.05517, there for the logistic
    distribution. The masses of all levels add up to 1, so bits per dimension that rest on
    them are those of a code for integer pixels.

    Args:
        num_bins: int, number of grey levels.
    """

    def log_prob(self, images, mean, scale):
        """Log-probability of every value, float32 nats, of the shape all three broadcast to.

        Exact to float32's relative precision, with finite gradients, for means within +-1e4
        and scales in [1e-3, 1e4]: nothing is clamped.

        Args:
            images: integers in 0 .. num_bins - 1, any dtype.
            mean: float, in grey levels: 0 is black, `num_bins - 1` white.
            scale: positive float, the normal's standard deviation in grey levels.
        """
        images, mean, scale = as_floats(images=images, mean=mean, scale=scale)
        first, last = images <= 0, images >= self.num_bins - 1
        offset = images - mean
        # Mirrored so that a bin begins at distance - 1/2 >= -1/2, or is all that lies beyond.
        distance = ops.where(last, offset, ops.where(first, -offset, ops.abs(offset)))
        return _log_mass(distance, scale, open_bin=first | last)

    def mean(self, mean, scale):
        """Expected grey level, float32: unlike `mean` it cannot leave 0 .. num_bins - 1."""
        mean, scale = as_floats(mean=mean, scale=scale)
        levels = ops.arange(self.num_bins, dtype="float32")
        log_probs = self.log_prob(levels, mean[..., None], scale[..., None])
        return ops.sum(levels * ops.exp(log_probs), axis=-1)

    def sample(self, mean, scale, seed=None):
        """One int32 grey level for each pair of `mean` and `scale`, which are broadcast."""
        mean, scale = as_floats(mean=mean, scale=scale)
        # Rounding and clipping a normal draw gives each level exactly the mass of its bin.
        drawn = mean + scale * keras.random.normal(ops.shape(mean + scale), seed=draw_seed(seed))
        return self.to_levels(drawn)

    def to_levels(self, values):
        """The int32 grey levels in whose bins float `values` lie, or the nearest ones."""
        (values,) = as_floats(values=values)
        return ops.cast(ops.clip(ops.round(values), 0, self.num_bins - 1), "int32")

    def distribution(self, mean, scale):
        """A `tfp.distributions.Distribution` of the same probabilities."""
        mean, scale = as_floats(mean=mean, scale=scale)
        from vqzoo.likelihoods import tfp_distributions  # the rest runs without TensorFlow

        return tfp_distributions.Discretized("Normal", mean, scale, likelihood=self)


def _log_mass(distance, scale, open_bin):
    """Log of the normal's mass on [distance - 1/2, distance + 1/2] or, if open, beyond the first.

    Three forms, each where it does not cancel. A form sees harmless numbers where another is
    chosen: gradients of a value that `where` discards would turn into nan otherwise.
    """
    # narrow: density times width; beyond: a difference of two tails on one side of the mean;
    # around: what is left of 1 when both tails are taken away.
    width = 1.0 / scale
    lower, middle, upper = (distance - 0.5) * width, distance * width, (distance + 0.5) * width
    narrow = ~open_bin & (width <= 1.0) & (middle * width <= 1.0)
    beyond = ~narrow & (lower >= 0.0)
    around = ~narrow & (lower < 0.0)
    closed = ops.cast(~open_bin, "float32")

    narrow_value = _narrow(ops.where(narrow, middle, 0.0), ops.where(narrow, width, 1.0))
    beyond_value = _beyond(
        ops.where(beyond, lower, 1.0),
        ops.where(beyond & ~open_bin, upper, 2.0),
        ops.where(beyond & ~open_bin, -middle * width, -1.0),
        closed,
    )
    below = tail(ops.where(around, -lower, 1.0))
    above = tail(ops.where(around & ~open_bin, upper, 1.0)) * closed
    around_value = ops.log1p(-(below + above))
    return ops.where(narrow, narrow_value, ops.where(beyond, beyond_value, around_value))


def _narrow(middle, width):
    """Density times width times the mean of exp(-middle t - t^2 / 2) over |t| < width / 2.

    Four-point Gauss-Legendre: exact to 1e-8 for width <= 1 and middle * width <= 1.
    """
    mean = 0.0
    for node, weight in NODES:
        step = 0.5 * node * width
        mean += weight * ops.cosh(middle * step) * ops.exp(-0.5 * step * step)
    return -0.5 * middle * middle - HALF_LOG_TWO_PI + ops.log(width) + ops.log(mean)


def _beyond(lower, upper, log_ratio, closed):
    """log(Q(lower) - closed Q(upper)), `log_ratio` being (lower^2 - upper^2) / 2 without rounding.

    With R(x) = exp(x^2 / 2) Q(x) it is -lower^2 / 2 + log(R(lower) - exp(log_ratio) R(upper)).
    """
    missing = closed * ops.exp(log_ratio) * scaled_tail(upper)
    return -0.5 * lower * lower + ops.log(scaled_tail(lower) - missing)
