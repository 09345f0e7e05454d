"""Standard normal prior: independent vectors of mean 0 and variance 1."""

import math

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_sizes, shown
from vqzoo.latents import checked_latents
from vqzoo.priors.checks import check_draw, checked_labels
from vqzoo.sampling.noise import image_keys, normal_noise
from vqzoo.sampling.options import SamplingOptions

LOG_TWO_PI = math.log(2 * math.pi)


@keras.saving.register_keras_serializable(package="vqzoo")
class StandardNormalPrior(keras.Model):
    """p(z) = N(0, 1) for every number of every level, whatever the class of an image.

    Section 3 of [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114). It has no
    weights and nothing to fit, and takes no labels.

    Args:
        latent_shapes: list of a level's shape without the batch, coarse to fine, such as `[(32,)]`.
        name: str.

    Raises:
        ValueError: if `latent_shapes` is no such list.
    """

    trainable_stage, conditional = False, False
    num_classes = None

    def __init__(self, latent_shapes, name="standard_normal_prior", **kwargs):
        super().__init__(name=name, **kwargs)
        if not isinstance(latent_shapes, (list, tuple)) or not latent_shapes:
            raise ValueError(
                f"`latent_shapes` must be a list of shapes. Received: {shown(latent_shapes)}"
            )
        right = "a list of shapes"
        self.latent_shapes = [checked_sizes(s, "latent_shapes", right) for s in latent_shapes]
        self.built = True

    @classmethod
    def for_latents(cls, latent_shapes, codebook_sizes, num_classes):
        """The standard normal prior over these levels.

        Raises:
            ValueError: if a level is a map of codes, or there are classes.
        """
        if num_classes is not None:
            raise ValueError(
                f"`num_classes` must be None for a {cls.__name__}. Received: {num_classes}"
            )
        if any(size is not None for size in codebook_sizes):
            raise ValueError(
                f"`codebook_sizes` must be None for each level of a {cls.__name__}, whose levels "
                f"are vectors. Received: {codebook_sizes=}"
            )
        return cls(latent_shapes)

    def call(self, inputs, training=None):
        """Log-probability in nats, float32 `(batch,)`, of `{"vectors_0": ..., ...}`."""
        levels = [inputs[f"vectors_{level}"] for level in range(len(self.latent_shapes))]
        return sum(_log_prob(ops.cast(level, "float32")) for level in levels)

    def log_prob(self, latents, labels=None):
        """Log-density of each image's vectors, float32 `(batch,)` in nats.

        Args:
            latents: list of float arrays `(batch, *shape)`, one for each level.
            labels: None.

        Raises:
            ValueError: if an array has a wrong shape or type, or labels are given.
        """
        sizes = [None] * len(self.latent_shapes)
        levels = checked_latents(latents, self.latent_shapes, sizes)
        checked_labels(labels, len(levels[0]), self.num_classes)
        return ops.convert_to_numpy(sum(map(_log_prob, levels)))

    def sample(self, num_images, labels=None, seed=0, options=SamplingOptions(), batch_size=64):
        """Draws vectors. An image depends on the seed and its index alone.

        Args:
            num_images: int.
            labels: None.
            seed: int in `[0, 2**64)`.
            options: `SamplingOptions`; the temperature is the standard deviation.
            batch_size: int; of no influence, since nothing is held but the result.

        Returns:
            List of float32 arrays `(num_images, *shape)`.

        Raises:
            ValueError: if labels are given, or an option that is for codes only.
        """
        check_draw(num_images, seed, options, 0, batch_size)
        checked_labels(labels, num_images, self.num_classes)
        for name in ("top_k", "top_p"):
            if getattr(options, name) is not None:
                raise ValueError(
                    f"`{name}` must be None: it is for codes, and this prior draws vectors. "
                    f"Received: {getattr(options, name)}"
                )
        temperature = np.full(num_images, options.temperature, "float32")
        drawn = self._draw(seed, np.arange(num_images), temperature)
        return [ops.convert_to_numpy(level) for level in drawn]

    def latents_of_seeds(self, seeds, labels, temperature):
        """`sample(1, None, seed)` for every row; as for `AutoregressivePrior.latents_of_seeds`."""
        del labels
        return self._draw(seeds, ops.zeros_like(seeds), temperature)

    def _draw(self, seed, indices, temperature):
        levels = []
        for level, shape in enumerate(self.latent_shapes):
            noise = normal_noise(image_keys(seed, indices, level), 0, math.prod(shape))
            scaled = noise * ops.expand_dims(temperature, -1)
            levels.append(ops.reshape(scaled, (-1, *shape)))
        return levels

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "latent_shapes": self.latent_shapes}


def _log_prob(vectors):
    """Sum over all axes but the first, float32 `(batch,)`."""
    axes = tuple(range(1, len(vectors.shape)))
    return -0.5 * ops.sum(ops.square(vectors) + LOG_TWO_PI, axis=axes)
