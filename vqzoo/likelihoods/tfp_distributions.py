"""Likelihoods as TensorFlow Probability distributions; imported only when one is asked for."""

import tensorflow as tf
import tensorflow_probability as tfp


class DiscretizedNormal(tfp.distributions.Distribution):
    """Grey levels with the mass of a normal, as `vqzoo.likelihoods.DiscretizedNormal` has it.

    Its interface is https://www.tensorflow.org/probability/api_docs/python/tfp/distributions.
    `tfp.distributions.QuantizedDistribution` subtracts two log-CDFs, which leaves few digits, or
    minus infinity, where a bin is narrow beside its distance from the mean; hence our own.
    Log-probabilities are in nats; events are scalars, of shape `()`.

    Args:
        loc, scale: floats in grey levels, broadcast against each other.
        likelihood: the `vqzoo.likelihoods.DiscretizedNormal` that does the arithmetic.
    """

    def __init__(self, loc, scale, likelihood, name="DiscretizedNormal"):
        parameters = dict(locals())
        self.loc, self.scale = tf.cast(loc, tf.float32), tf.cast(scale, tf.float32)
        self.likelihood = likelihood
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfp.distributions.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {name: tfp.util.ParameterProperties() for name in ("loc", "scale")}

    def _event_shape(self):
        return tf.TensorShape([])

    def _event_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _log_prob(self, value):
        return self.likelihood.log_prob(value, self.loc, self.scale)

    def _mean(self):
        return self.likelihood.mean(self.loc, self.scale)

    def _sample_n(self, count, seed=None):
        seed = tfp.random.sanitize_seed(seed)
        shape = tf.concat([[count], self.batch_shape_tensor()], axis=0)
        # TFP hands out stateless seeds, which `keras.random` does not take.
        drawn = self.loc + self.scale * tf.random.stateless_normal(shape, seed)
        return tf.clip_by_value(tf.round(drawn), 0.0, self.likelihood.num_bins - 1.0)
