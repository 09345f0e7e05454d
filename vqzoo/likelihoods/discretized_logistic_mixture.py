"""Mixture of discretised logistic distributions over pixels, whose channels are coupled."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.likelihoods.discretized_logistic import DiscretizedLogistic
from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed

MIN_LOG_SCALE = -7.0
"""Smallest log-scale on -1..1: a scale of 0.12 of 256 grey levels, one level for certain."""


@keras.saving.register_keras_serializable(package="vqzoo")
class DiscretizedLogisticMixture(Likelihood):
    """A pixel's channels, given one component, are discretised logistics around coupled means.

    Sections 2.1 and 2.2 of arXiv:1701.05517: one component is drawn for the whole pixel; in it the
    mean of a channel is shifted by the true values of the channels before it,

        mean_G = m_G + c_0 x_R,    mean_B = m_B + c_1 x_R + c_2 x_G.

    Other than in its siblings the parameters are one tensor, as a network gives them, and in units
    of the scale on which black is -1 and white is 1: `(..., num_parameters)`, first the logits of
    the components, then for each component the means of all channels, their log-scales (raised to
    -7 where below) and the coefficients before their tanh, in the order above. A colour pixel
    has 10 numbers a component, a grey one 3. There is no `mean`: that of a channel is one over the
    clipped values of those before it, which has no closed form.

    Args:
        num_components: int, number of components.
        channels: int, values of a pixel.
        num_bins: int, number of grey levels.

    Raises:
        ValueError: if an argument is no positive int.
    """

    def __init__(self, num_components=10, channels=3, num_bins=256):
        super().__init__(num_bins)
        self.num_components = checked_int(num_components, "num_components")
        self.channels = checked_int(channels, "channels")
        self._logistic = DiscretizedLogistic(self.num_bins)

    @property
    def num_parameters(self):
        """int, numbers that a network has to give for each pixel."""
        pairs = self.channels * (self.channels - 1) // 2
        return self.num_components * (1 + 2 * self.channels + pairs)

    @property
    def num_uniforms(self):
        """int, uniform numbers that `draw` takes for each pixel."""
        return 1 + self.channels

    def unpack(self, parameters):
        """What the numbers of `parameters` `(..., num_parameters)` mean.

        Returns:
            Dict of float32 tensors: `logits` `(..., components)`; `means` and `log_scales`
            `(..., components, channels)` and `coefficients` `(..., components, pairs)` on -1..1.

        Raises:
            ValueError: if `parameters` has another last axis.
        """
        (parameters,) = as_floats(parameters=parameters)
        if not len(parameters.shape) or parameters.shape[-1] != self.num_parameters:
            raise ValueError(
                f"`parameters` must end in an axis of {self.num_parameters}. "
                f"Received shape: {tuple(parameters.shape)}"
            )
        logits = parameters[..., : self.num_components]
        each = self.num_parameters // self.num_components - 1
        shape = (*ops.shape(parameters)[:-1], self.num_components, each)
        rest = ops.reshape(parameters[..., self.num_components :], shape)
        return {
            "logits": logits,
            "means": rest[..., : self.channels],
            "log_scales": ops.maximum(rest[..., self.channels : 2 * self.channels], MIN_LOG_SCALE),
            "coefficients": ops.tanh(rest[..., 2 * self.channels :]),
        }

    def log_prob(self, images, parameters):
        """Float32 nats `(...)` of whole pixels.

        Args:
            images: integers `(..., channels)` in 0 .. num_bins - 1, any dtype.
            parameters: float `(..., num_parameters)`.
        """
        mixture = self.unpack(parameters)
        images = _checked("images", images, mixture["logits"], self.channels)[..., None, :]
        values = images * (2.0 / (self.num_bins - 1)) - 1.0
        columns = [
            self._shifted_mean(mixture, channel, values) for channel in range(self.channels)
        ]
        mean, scale = self._in_grey_levels(ops.stack(columns, axis=-1), mixture["log_scales"])
        by_channel = self._logistic.log_prob(images, mean, scale)
        # A component is a component of whole pixels: its channels are multiplied first.
        joint = ops.log_softmax(mixture["logits"]) + ops.sum(by_channel, axis=-1)
        return ops.logsumexp(joint, axis=-1)

    def draw(self, parameters, uniform):
        """The int32 pixels `(..., channels)` that uniform noise leads to, channel after channel.

        Each is an exact draw by the inverse of a distribution function: the first number chooses
        the component, the others the channels, given the grey levels drawn before.

        Args:
            parameters: float `(..., num_parameters)`.
            uniform: float `(..., num_uniforms)`, in (0, 1).
        """
        mixture = self.unpack(parameters)
        uniform = _checked("uniform", uniform, mixture["logits"], self.num_uniforms)
        passed = ops.cumsum(ops.softmax(mixture["logits"]), axis=-1)[..., :-1] <= uniform[..., :1]
        component = ops.sum(ops.cast(passed, "int32"), axis=-1)
        one = ops.one_hot(component, self.num_components, dtype="float32")[..., None]
        chosen = {
            name: ops.sum(mixture[name] * one, axis=-2)
            for name in ("means", "log_scales", "coefficients")
        }
        return self._draw_channels(chosen, uniform[..., 1:])

    def sample(self, parameters, seed=None):
        """One int32 pixel `(..., channels)` for each of `parameters` `(..., num_parameters)`."""
        shape = (*ops.shape(self.unpack(parameters)["logits"])[:-1], self.num_uniforms)
        return self.draw(parameters, keras.random.uniform(shape, seed=draw_seed(seed)))

    def distribution(self, parameters):
        """A `tfp.distributions.Distribution` of the same probabilities; an event is a pixel."""
        self.unpack(parameters)  # refuses what is not as it should be
        from vqzoo.likelihoods import tfp_distributions  # the rest runs without TensorFlow

        return tfp_distributions.DiscretizedLogisticMixture(parameters, likelihood=self)

    def get_config(self):
        own = {"num_components": self.num_components, "channels": self.channels}
        return {**own, **super().get_config()}

    def _draw_channels(self, component, uniform):
        """int32 `(..., channels)` from one component's parameters, without their axis."""
        levels, values = [], ops.zeros_like(uniform[..., :0])
        for channel in range(self.channels):
            mean, scale = self._in_grey_levels(
                self._shifted_mean(component, channel, values),
                component["log_scales"][..., channel],
            )
            levels.append(self._logistic.draw(mean, scale, uniform[..., channel]))
            value = ops.cast(levels[-1], "float32") * (2.0 / (self.num_bins - 1)) - 1.0
            values = ops.concatenate([values, value[..., None]], axis=-1)
        return ops.stack(levels, axis=-1)

    def _shifted_mean(self, mixture, channel, values):
        """Mean of a channel, given the `values` `(..., channels)` before it, all on -1..1."""
        first = channel * (channel - 1) // 2  # coefficients of the channels before come first
        coefficients = mixture["coefficients"][..., first : first + channel]
        shift = ops.sum(coefficients * values[..., :channel], axis=-1)
        return mixture["means"][..., channel] + shift

    def _in_grey_levels(self, mean, log_scale):
        half = (self.num_bins - 1) / 2.0
        return (mean + 1.0) * half, ops.exp(log_scale) * half


def _checked(name, values, logits, last):
    """The values in float32, which must have the shape of the logits but for the last axis."""
    (values,) = as_floats(**{name: values})
    shape, other = tuple(values.shape), tuple(logits.shape)
    if len(shape) != len(other) or shape[-1] != last:
        raise ValueError(
            f"`{name}` must end in an axis of {last} and have as many axes as `parameters`. "
            f"Received shapes: {shape} and {other}"
        )
    as_floats(**{name: values[..., 0], "parameters": logits[..., 0]})
    return values
