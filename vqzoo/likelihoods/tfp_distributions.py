"""Likelihoods as TensorFlow Probability distributions; imported only when one is asked for."""

import tensorflow as tf
import tensorflow_probability as tfp


class _FromLikelihood(tfp.distributions.Distribution):
    """What both classes share: a vqzoo likelihood that does the arithmetic, `parameters` for it.

    Their interface is https://www.tensorflow.org/probability/api_docs/python/tfp/distributions.
    Log-probabilities are in nats; values are float32, as TFP's own quantised distributions have.
    """

    def __init__(self, likelihood, parameters, name):
        self.likelihood = likelihood
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfp.distributions.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name=name,
        )

    def _event_shape_tensor(self):
        return tf.constant(self._event_shape().as_list(), tf.int32)


class Discretized(_FromLikelihood):
    """Grey levels with the mass of a normal or a logistic distribution on their bins.

    `tfp.distributions.QuantizedDistribution` subtracts two log-CDFs, which leaves few digits, or
    minus infinity, where a bin is narrow beside its distance from the mean; hence our own.
    Events are scalars, of shape `()`.

    Args:
        base: "Normal" or "Logistic", the continuous distribution.
        loc, scale: its floats in grey levels, broadcast against each other.
        likelihood: the `DiscretizedNormal` or `DiscretizedLogistic` of `vqzoo.likelihoods`.
    """

    def __init__(self, base, loc, scale, likelihood):
        parameters = dict(locals())
        self.loc, self.scale = tf.cast(loc, tf.float32), tf.cast(scale, tf.float32)
        self.base = getattr(tfp.distributions, base)(self.loc, self.scale)
        super().__init__(likelihood, parameters, f"Discretized{base}")

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {name: tfp.util.ParameterProperties() for name in ("loc", "scale")}

    def _event_shape(self):
        return tf.TensorShape([])

    def _log_prob(self, value):
        return self.likelihood.log_prob(value, self.loc, self.scale)

    def _mean(self):
        return self.likelihood.mean(self.loc, self.scale)

    def _sample_n(self, count, seed=None):
        # TFP hands out stateless seeds, which `keras.random` does not take.
        drawn = self.base.sample(count, seed=tfp.random.sanitize_seed(seed))
        return tf.cast(self.likelihood.to_levels(drawn), tf.float32)


class DiscretizedLogisticMixture(_FromLikelihood):
    """Pixels of coupled channels, as `vqzoo.likelihoods.DiscretizedLogisticMixture` has them.

    No `MixtureSameFamily`: the mean of a channel depends on the value that it is asked about,
    which no distribution of TFP's holds. Events are pixels, of shape `(channels,)`.

    Args:
        pixels: float `(..., num_parameters)`, what the likelihood calls `parameters`.
        likelihood: the likelihood.
    """

    def __init__(self, pixels, likelihood):
        parameters = dict(locals())
        self.pixels = tf.cast(pixels, tf.float32)
        super().__init__(likelihood, parameters, "DiscretizedLogisticMixture")

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {"pixels": tfp.util.ParameterProperties(event_ndims=1)}

    def _event_shape(self):
        return tf.TensorShape([self.likelihood.channels])

    def _log_prob(self, value):
        shape = tf.broadcast_dynamic_shape(tf.shape(value)[:-1], tf.shape(self.pixels)[:-1])
        sizes = self.likelihood.channels, self.likelihood.num_parameters
        pair = [
            tf.broadcast_to(x, tf.concat([shape, [size]], axis=0))
            for x, size in zip((value, self.pixels), sizes, strict=True)
        ]
        return self.likelihood.log_prob(*pair)

    def _sample_n(self, count, seed=None):
        shape = tf.concat([[count], tf.shape(self.pixels)[:-1]], axis=0)
        many = tf.broadcast_to(self.pixels, tf.concat([shape, self.pixels.shape[-1:]], axis=0))
        noise_shape = tf.concat([shape, [self.likelihood.num_uniforms]], axis=0)
        noise = tf.random.stateless_uniform(noise_shape, tfp.random.sanitize_seed(seed))
        return tf.cast(self.likelihood.draw(many, noise), tf.float32)
