"""Uniform prior: every code is equally likely everywhere."""

import math

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_int, checked_sizes, shown
from vqzoo.latents import are_codes, checked_latents
from vqzoo.priors.checks import check_draw, checked_known, checked_labels
from vqzoo.sampling.draws import CodeDraws
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.options import SamplingOptions


@keras.saving.register_keras_serializable(package="vqzoo")
class UniformPrior(keras.Model):
    """Independent uniform codes, the prior under which a VQ-VAE is trained.

    Section 3.1 of [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937).
    It has no weights and nothing to fit.

    Args:
        latent_shapes: list of (height, width), one for each level, coarse to fine.
        codebook_sizes: list of int, number of codes of each level.
        num_classes: int or `None`; with a number labels are accepted, and change nothing.
        name: str.
    """

    trainable_stage, conditional = False, True

    def __init__(
        self, latent_shapes, codebook_sizes, num_classes=None, name="uniform_prior", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        sizes = checked_sizes(codebook_sizes, "codebook_sizes", "a list")
        if not isinstance(latent_shapes, (list, tuple)) or len(latent_shapes) != len(sizes):
            raise ValueError(
                "`codebook_sizes` must hold one size for each of `latent_shapes`. "
                f"Received: {codebook_sizes=}, latent_shapes={shown(latent_shapes)}"
            )
        right = "a list of (height, width)"
        self.latent_shapes = [checked_sizes(s, "latent_shapes", right, 2) for s in latent_shapes]
        self.codebook_sizes, self.num_classes = list(sizes), num_classes
        if num_classes is not None:
            checked_int(num_classes, "num_classes")
        self.built = True

    @classmethod
    def for_latents(cls, latent_shapes, codebook_sizes, num_classes):
        """The uniform prior over these levels.

        Raises:
            ValueError: if a level is one of vectors, which have no uniform distribution.
        """
        if not are_codes(codebook_sizes):
            raise ValueError(
                "`codebook_sizes` must hold a number of codes for each level of a "
                f"{cls.__name__}. Received: {codebook_sizes=}"
            )
        return cls(latent_shapes, codebook_sizes, num_classes)

    def call(self, inputs, training=None):
        """List of float32 logits `(batch, height, width, num_embeddings)`: zeros."""
        batch_size = ops.shape(inputs["codes_0"])[0]
        levels = zip(self.latent_shapes, self.codebook_sizes)
        return [ops.zeros((batch_size, *shape, size)) for shape, size in levels]

    def position_log_probs(self, weights, training=None):
        """log p(k) = -log K at every position; as for `AutoregressivePrior.position_log_probs`."""
        return ops.full_like(weights, -math.log(self.codebook_sizes[0]))

    def log_prob(self, latents, labels=None):
        """Log-probability of each image's codes, float32 `(batch,)` in nats.

        Args:
            latents: list of int arrays `(batch, height, width)`, one for each level.
            labels: as for `AutoregressivePrior.log_prob`.

        Raises:
            ValueError: if codes or labels have a wrong shape, type or range.
        """
        codes = checked_latents(latents, self.latent_shapes, self.codebook_sizes)
        checked_labels(labels, len(codes[0]), self.num_classes)
        levels = zip(self.latent_shapes, self.codebook_sizes)
        # The same for every image: codes are counted, not looked at.
        nats = sum(math.prod(shape) * math.log(size) for shape, size in levels)
        return np.full(len(codes[0]), -nats, "float32")

    def sample(
        self,
        num_images,
        labels=None,
        seed=0,
        options=SamplingOptions(),
        known=None,
        first_index=0,
        batch_size=64,
    ):
        """Draws codes; arguments, result and errors as for `AutoregressivePrior.sample`."""
        check_draw(num_images, seed, options, first_index, batch_size)
        checked_labels(labels, num_images, self.num_classes)
        sizes = self.codebook_sizes
        codes, masks = checked_known(known, num_images, self.latent_shapes, sizes)
        for level, (shape, size) in enumerate(zip(self.latent_shapes, sizes)):
            for start in range(0, num_images, batch_size):
                rows = slice(start, min(start + batch_size, num_images))
                keys = image_keys(seed, first_index + np.arange(rows.start, rows.stop), level)
                temperature = np.full(len(keys), options.temperature, "float32")
                drawn = _uniform_codes(keys, shape, size, temperature, options)
                drawn = ops.convert_to_numpy(drawn)
                codes[level][rows] = np.where(masks[level][rows], drawn, codes[level][rows])
        return codes

    def latents_of_seeds(self, seeds, labels, temperature):
        """`sample(1, label, seed)` for every row; as for `AutoregressivePrior.latents_of_seeds`."""
        indices, options = ops.zeros_like(seeds), SamplingOptions()
        keys = [image_keys(seeds, indices, level) for level in range(len(self.codebook_sizes))]
        levels = zip(keys, self.latent_shapes, self.codebook_sizes)
        return [_uniform_codes(*level, temperature, options) for level in levels]

    def get_config(self):
        """Constructor arguments."""
        arguments = ("latent_shapes", "codebook_sizes", "num_classes")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def _uniform_codes(keys, shape, size, temperature, options):
    """int32 tensor `(batch, *shape)`; row by row, since a map's noise may not fit in memory."""
    positions = np.arange(shape[0] * shape[1], dtype="int32").reshape(shape)
    draws = CodeDraws(size, options)

    def draw_row(row):
        noise = draws.noise(keys, row)
        return draws.choose(ops.zeros_like(noise), noise, temperature)

    return ops.transpose(ops.map(draw_row, ops.convert_to_tensor(positions)), (2, 0, 1))
