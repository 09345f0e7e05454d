"""A free probability for every grey level."""

import keras
from keras import ops

from vqzoo.likelihoods.likelihood import Likelihood, as_floats, draw_seed


@keras.saving.register_keras_serializable(package="vqzoo")
class Categorical(Likelihood):
    """Softmax over the grey levels 0 .. num_bins - 1; `logits` are `(..., num_bins)`.

    Section 2.3 of arXiv:1601.06759. Log-probabilities are in nats.

    Args:
        num_bins: int, number of grey levels.
    """

    def log_prob(self, images, logits):
        """Float32 nats `(...)` of integers `(...)` under logits `(..., num_bins)`."""
        log_probs = ops.log_softmax(self._checked(logits))
        (images,) = as_floats(images=images)
        if len(images.shape) != len(log_probs.shape) - 1:
            raise ValueError(
                "`images` must have the shape of `logits` without its last axis. "
                f"Received: {tuple(images.shape)} and {tuple(log_probs.shape)}"
            )
        as_floats(images=images, logits=log_probs[..., 0])
        images = ops.cast(images, "int32")[..., None]
        return ops.take_along_axis(log_probs, images, axis=-1)[..., 0]

    def mean(self, logits):
        """Expected grey level, float32 `(...)`."""
        levels = ops.arange(self.num_bins, dtype="float32")
        return ops.sum(ops.softmax(self._checked(logits)) * levels, axis=-1)

    def sample(self, logits, seed=None):
        """One int32 grey level for each row of logits, `(...)`."""
        logits = self._checked(logits)
        rows = ops.reshape(logits, (-1, self.num_bins))
        drawn = keras.random.categorical(rows, 1, dtype="int32", seed=draw_seed(seed))
        return ops.reshape(drawn, ops.shape(logits)[:-1])

    def distribution(self, logits):
        """The `tfp.distributions.Categorical` of the same probabilities."""
        import tensorflow_probability as tfp  # only here: the rest runs without TensorFlow

        return tfp.distributions.Categorical(logits=self._checked(logits))

    def _checked(self, logits):
        """The logits in float32; a wrong number of bins would otherwise go unnoticed."""
        # bfloat16 would be off by up to a hundredth of a nat, for every single pixel.
        (logits,) = as_floats(logits=logits)
        if not len(logits.shape) or logits.shape[-1] != self.num_bins:
            raise ValueError(
                f"`logits` must end in an axis of {self.num_bins}. Received shape: {logits.shape}"
            )
        return logits
