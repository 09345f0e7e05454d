"""The normal density of dequantised grey levels."""

import keras
from keras import ops

from vqzoo.likelihoods.discretized_normal import HALF_LOG_TWO_PI
from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed

UNIFORM_VARIANCE = 1 / 12
"""Variance of the noise of dequantisation, uniform on an interval of one grey level."""


@keras.saving.register_keras_serializable(package="vqzoo")
class DequantizedNormal(Likelihood):
    """A normal density of v + u, where v is a grey level and u uniform noise on [0, 1).

    The likelihood of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020), in
    units of grey levels: the term -log(a) of their Equation 9, which converts a density to a
    probability of integers, is 0 here, where a bin has the width a = 1. `log_prob` is the mean over
    u in closed form, so that no noise is drawn:

        E_u log N(v + u; mean + 1/2, scale) = -((v - mean)^2 + 1/12) / (2 scale^2)
                                              - log(scale) - log(2 pi) / 2

    By Jensen's inequality it is below the log of the mass on [v, v + 1), so bits per dimension
    that rest on it are a bound. As the mean decoded pixel estimates v, the density's centre lies
    half a grey level higher, in the middle of the bin.

    Args:
        num_bins: int, number of grey levels.
    """

    def log_prob(self, images, mean, scale):
        """Float32 nats of every value, of the shape all three broadcast to.

        Args:
            images: integers in 0 .. num_bins - 1, any dtype.
            mean: float, in grey levels.
            scale: positive float, the normal's standard deviation in grey levels.
        """
        images, mean, scale = as_floats(images=images, mean=mean, scale=scale)
        squares = ops.square(images - mean) + UNIFORM_VARIANCE
        return -0.5 * squares / ops.square(scale) - ops.log(scale) - HALF_LOG_TWO_PI

    def mean(self, mean, scale):
        """Expected grey level, float32, of the density without its half grey level: `mean`."""
        mean, scale = as_floats(mean=mean, scale=scale)
        return mean + ops.zeros_like(scale)

    def sample(self, mean, scale, seed=None):
        """One int32 grey level for each pair of `mean` and `scale`: a draw, rounded and clipped."""
        mean, scale = as_floats(mean=mean, scale=scale)
        drawn = mean + scale * keras.random.normal(ops.shape(mean + scale), seed=draw_seed(seed))
        return ops.cast(ops.clip(ops.round(drawn), 0, self.num_bins - 1), "int32")

    def distribution(self, mean, scale):
        """The `tfp.distributions.Normal` of v + u."""
        import tensorflow_probability as tfp  # only here: the rest runs without TensorFlow

        mean, scale = as_floats(mean=mean, scale=scale)
        return tfp.distributions.Normal(mean + 0.5, scale)
