"""Gaussian bottleneck: features to a normal distribution of latent vectors."""

import keras
from keras import ops

from vqzoo.checks import checked_int, checked_seed
from vqzoo.layers.replica_losses import ReplicaLosses
from vqzoo.layers.replicas import draw_for_replica


@keras.saving.register_keras_serializable(package="vqzoo")
class GaussianBottleneck(ReplicaLosses):
    """q(z | x), normal with a diagonal covariance, and its divergence from the standard normal.

    Sections 2.4 and 3 and Appendix B of [Auto-Encoding Variational
    Bayes](https://arxiv.org/abs/1312.6114). One dense projection of the last axis gives mean and
    log-variance; in training z is drawn, else it is the mean:

        z = mean + exp(log_variance / 2) * noise
        KL(q(z | x) || N(0, 1)) = 1/2 sum(mean^2 + exp(log_variance) - 1 - log_variance)

    ```python
    bottleneck = GaussianBottleneck(32)
    outputs = bottleneck(keras.random.normal((8, 3136)), training=True)
    outputs["vectors"]    # float32 (8, 32)
    bottleneck.losses     # one number: the divergence, nats per image, mean over the batch
    ```

    Flattened features give one vector an image, a feature map one a position. The projection and
    all that follows are float32 under every dtype policy.

    Args:
        latent_dim: int, size of a vector.
        seed: int or None; decides what training draws. None: from Keras' global seed.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        features: float tensor `(batch, ..., channels)`.
        training: bool, whether z is drawn.

    Returns:
        dict of float32 tensors `(batch, ..., latent_dim)`: `vectors` (z), `mean` and
        `log_variance`.

    Raises:
        ValueError: if `latent_dim` is no positive integer, or `features` have another size.
    """

    def __init__(self, latent_dim, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = checked_int(latent_dim, "latent_dim")
        self.seed = None if seed is None else checked_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.project = keras.layers.Dense(2 * self.latent_dim, dtype="float32", name="project")

    def build(self, input_shape):
        self.project.build(input_shape)
        self.channels = input_shape[-1]

    def call(self, features, training=False):
        dtype = keras.backend.standardize_dtype(features.dtype)
        fits = len(features.shape) > 1 and features.shape[-1] == self.channels
        if not fits or not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                f"`features` must be floats of shape (batch, ..., {self.channels}). "
                f"Received: {dtype} {tuple(features.shape)}"
            )
        mean, log_variance = ops.split(self.project(features), 2, axis=-1)
        vectors = mean
        if training:
            noise = draw_for_replica(self._normal, ops.shape(mean))
            vectors = mean + ops.exp(0.5 * log_variance) * noise
        # expm1: near the prior the variance's term would cancel to noise
        terms = ops.square(mean) + ops.expm1(log_variance) - log_variance
        nats = 0.5 * ops.sum(terms, axis=tuple(range(1, len(features.shape))))
        self.add_loss(ops.mean(nats))
        return {"vectors": vectors, "mean": mean, "log_variance": log_variance}

    def _normal(self, shape):
        return keras.random.normal(shape, seed=self.seed_generator)

    def get_config(self):
        return {**super().get_config(), "latent_dim": self.latent_dim, "seed": self.seed}
