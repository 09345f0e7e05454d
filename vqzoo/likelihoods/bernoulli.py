"""Black or white, with one probability for every pixel."""

import keras
from keras import ops

from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed


@keras.saving.register_keras_serializable(package="vqzoo")
class Bernoulli(Likelihood):
    """Binary pixels: 1 with probability sigmoid(logits), Appendix C.1 of arXiv:1312.6114.

    Its values are 0 and 1, not grey levels: an image is binarised before it comes here, and the
    bits of binary pixels cannot be compared with those of 256 grey levels.
    """

    unit = "binary_pixel"

    def __init__(self):
        super().__init__(num_bins=2)

    def log_prob(self, images, logits):
        """Float32 nats of values 0 and 1, any dtype, of the shape that both broadcast to."""
        images, logits = as_floats(images=images, logits=logits)
        return ops.log_sigmoid((2.0 * images - 1.0) * logits)  # 1 - sigmoid(l) = sigmoid(-l)

    def mean(self, logits):
        """Probability of a 1, float32."""
        return ops.sigmoid(*as_floats(logits=logits))

    def sample(self, logits, seed=None):
        """One int32 0 or 1 for each of `logits`."""
        white = self.mean(logits)
        return ops.cast(keras.random.uniform(ops.shape(white), seed=draw_seed(seed)) < white, "int32")

    def distribution(self, logits):
        """The `tfp.distributions.Bernoulli` of the same probabilities."""
        import tensorflow_probability as tfp  # only here: the rest runs without TensorFlow

        return tfp.distributions.Bernoulli(*as_floats(logits=logits))

    def get_config(self):
        return {}
