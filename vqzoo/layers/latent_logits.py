"""Logits of a categorical posterior: how features speak about the codes of a codebook."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="vqzoo")
class FeatureLogits:
    """The features are the logits; the codebook is only a table of vectors.

    Equation 6 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020).
    """

    def channels(self, num_embeddings, embedding_dim):
        """How many channels the features need: int, here one a code."""
        return num_embeddings

    def __call__(self, features, codebook):
        """Float32 logits `(..., num_embeddings)` of features of that shape."""
        return features

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        """A new object; `config` is empty."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="vqzoo")
class DistanceLogits(FeatureLogits):
    """Minus the Euclidean distance of the features to each code.

    Equation 5 of Jones and Moore (2020), which is printed without the minus sign: it would give
    the farthest code the largest probability, against the nearest code of Equation 4.
    """

    def channels(self, num_embeddings, embedding_dim):
        """How many channels the features need: int, here those of a code's vector."""
        return embedding_dim

    def __call__(self, features, codebook):
        """Float32 `(..., num_embeddings)` of features `(..., embedding_dim)`."""
        products = ops.matmul(features, ops.transpose(codebook))
        norms = ops.sum(ops.square(features), axis=-1, keepdims=True)
        squares = norms - 2 * products + ops.sum(ops.square(codebook), axis=-1)
        # The root's slope at 0 is infinite, and rounding may leave less than 0: a distance of 0
        # counts as 0.001, any above 0.1 is moved by less than one part in 10,000.
        return -ops.sqrt(ops.maximum(squares, 0.0) + 1e-6)
