"""Hierarchical prior: one autoregressive prior a level, each given the coarser levels."""

import itertools
import math

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_int, shown
from vqzoo.latents import are_codes, checked_latents
from vqzoo.layers.replicas import num_replicas
from vqzoo.networks.conditioning_stack import ConditioningStack
from vqzoo.priors.autoregressive_prior import AutoregressivePrior, causal_network, cross_entropy
from vqzoo.priors.checks import check_draw, checked_known, checked_labels
from vqzoo.sampling.options import SamplingOptions


@keras.saving.register_keras_serializable(package="vqzoo")
class HierarchicalPrior(keras.Model):
    """p(codes_0 | label) p(codes_1 | codes_0, label) ... over levels of codes, coarse to fine.

    Section 3.2 and Algorithm 2 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446).

    The levels share no weights: plain `fit` of the whole trains all of them at once, and
    `prior.levels[i].compile("adam"); prior.levels[i].fit(codes)` trains one. Either takes batches of
    a dict `{"codes_0": int (batch, h, w), "codes_1": ..., "labels": int (batch,)}`. The loss of
    the whole is the sum of the levels' mean cross-entropies in nats per code; `bits_per_code_0`
    and so on are logged beside it.

    Args:
        levels: list of `AutoregressivePrior`, of level 0, 1 and so on.
        name: str.

    Raises:
        ValueError: if the levels do not follow each other, or differ in shapes, codebook sizes or
            classes.
    """

    trainable_stage, conditional = True, True

    def __init__(self, levels, name="hierarchical_prior", **kwargs):
        super().__init__(name=name, **kwargs)
        _check_levels(levels)
        self.levels = list(levels)
        self.latent_shapes = levels[-1].latent_shapes
        self.codebook_sizes, self.num_classes = levels[-1].codebook_sizes, levels[-1].num_classes
        self.bits_per_code = [
            keras.metrics.Mean(name=f"bits_per_code_{level}") for level in range(len(levels))
        ]
        self.built = True

    def call(self, inputs, training=None):
        """List of float32 logits `(batch, height, width, num_embeddings)`, one a level."""
        return [level(inputs, training=training) for level in self.levels]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Sum over levels of the mean cross-entropy in nats per code."""
        losses = []
        for level, metric, logits in zip(self.levels, self.bits_per_code, y_pred, strict=True):
            codes = level.own_codes(x)
            losses.append(ops.mean(cross_entropy(codes, logits)))
            metric.update_state(losses[-1] / math.log(2), sample_weight=ops.shape(codes)[0])
        return sum(losses) / num_replicas()  # Keras adds up what the replicas return

    def log_prob(self, latents, labels=None, batch_size=None):
        """Log-probability of each image's codes of all levels.

        Args:
            latents: list of int arrays `(batch, height, width)`, one a level.
            labels: int or int array `(batch,)`; `None` with a conditional prior takes the mean of
                the probability of all levels together over all classes.
            batch_size: int, images per pass through a network, or None as for
                `AutoregressivePrior.log_prob`.

        Returns:
            float32 array `(batch,)`, nats.

        Raises:
            ValueError: if codes or labels have a wrong shape, type or range.
        """
        return self.level_log_probs(latents, labels, batch_size).sum(axis=0).astype("float32")

    def level_log_probs(self, latents, labels=None, batch_size=None):
        """What each level adds to `log_prob`: float64 `(levels, batch)`, in nats.

        A row is log p(codes of the level | coarser codes, label), or without labels what remains
        of that once the classes are averaged over, which the coarser codes have made more or less
        likely. Arguments and errors as for `log_prob`.
        """
        latents = checked_latents(latents, self.latent_shapes, self.codebook_sizes)
        labels = checked_labels(labels, len(latents[0]), self.num_classes)
        averaged = labels is None and self.num_classes is not None
        each = range(self.num_classes) if averaged else [labels]
        nats = [
            [p.log_prob(latents[: i + 1], label, batch_size) for i, p in enumerate(self.levels)]
            for label in each
        ]  # [classes, levels, batch]
        joint = np.cumsum(np.array(nats, "float64"), axis=1)
        # log p(codes_0 .. codes_i): the mean is over the joint probability, not level by level.
        averages = np.logaddexp.reduce(joint, axis=0) - math.log(len(each))
        return np.diff(averages, axis=0, prepend=0.0)

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
        """Draws codes coarse to fine. An image depends on seed, index and label, not on its batch.

        Args:
            num_images, labels, seed, options, first_index, batch_size: as for
                `AutoregressivePrior.sample`.
            known: `None`, or a pair of lists with one entry a level: codes, int
                `(num_images, height, width)`, and masks, bool, true where a code is to be drawn.
                The other codes stay.

        Returns:
            List of int32 arrays `(num_images, height, width)`, one a level.

        Raises:
            ValueError: if an argument has a wrong shape, type or range.
        """
        check_draw(num_images, seed, options, first_index, batch_size)
        labels = checked_labels(labels, num_images, self.num_classes)
        shapes, sizes = self.latent_shapes, self.codebook_sizes
        latents, masks = checked_known(known, num_images, shapes, sizes)
        settled = [np.zeros_like(mask) for mask in masks]
        for i, level in enumerate(self.levels):
            given = latents[: i + 1], [*settled[:i], masks[i]]
            # Labels that are drawn are a function of seed and index: the same at every level.
            arguments = num_images, labels, seed, options, given, first_index, batch_size
            latents[i] = level.sample(*arguments)[i]
        return latents

    def latents_of_seeds(self, seeds, labels, temperature):
        """`sample(1, label, seed)` for every row; as for `AutoregressivePrior.latents_of_seeds`."""
        latents = []
        for level in self.levels:
            latents = level.latents_of_seeds(seeds, labels, temperature, latents)
        return latents

    @classmethod
    def for_latents(cls, latent_shapes, codebook_sizes, num_classes, levels):
        """A new prior over levels of codes.

        Args:
            latent_shapes: list of (height, width), coarse to fine, each twice the one before.
            codebook_sizes: list of int, one a level.
            num_classes: int or `None`.
            levels: list of one mapping a level: `network`, a mapping of `family` and its other
                arguments, and above the first perhaps `conditioning`, arguments of
                `ConditioningStack`.

        Raises:
            ValueError: if the number of levels differs, one is of vectors, their sizes do not
                double, or a mapping is not right.
        """
        if not are_codes(codebook_sizes) or len(levels) != len(codebook_sizes):
            raise ValueError(
                f"`levels` must hold one mapping for each level of codes of the autoencoder. "
                f"Received: {len(levels)} for {codebook_sizes=}"
            )
        for coarse, fine in itertools.pairwise(latent_shapes):
            if tuple(fine) != tuple(2 * side for side in coarse):
                raise ValueError(
                    f"`latent_shapes` must double from level to level for a {cls.__name__}. "
                    f"Received: {latent_shapes}"
                )
        return cls(
            [
                _make_level(config, latent_shapes[i], codebook_sizes[: i + 1], num_classes)
                for i, config in enumerate(levels)
            ]
        )

    def get_config(self):
        """Constructor arguments, the levels serialised."""
        levels = [keras.saving.serialize_keras_object(level) for level in self.levels]
        return {**super().get_config(), "levels": levels}

    @classmethod
    def from_config(cls, config):
        """The prior that `get_config` came from, with new weights."""
        levels = [keras.saving.deserialize_keras_object(level) for level in config["levels"]]
        return cls(**{**config, "levels": levels})


def _make_level(config, latent_shape, codebook_sizes, num_classes):
    """The `AutoregressivePrior` of the last of these levels, as a mapping describes it."""
    *coarser, own = codebook_sizes
    stack = ConditioningStack(coarser, **config.get("conditioning", {})) if coarser else None
    network = causal_network(config["network"], own, num_classes, stack and stack.filters)
    level = len(coarser)
    return AutoregressivePrior(network, latent_shape, level, stack, name=f"level_{level}")


def _check_levels(levels):
    """Raises ValueError unless these are the priors of the levels 0, 1, ... of the same codes."""
    listed = isinstance(levels, (list, tuple)) and len(levels) > 0
    if not listed or not all(isinstance(level, AutoregressivePrior) for level in levels):
        raise ValueError(
            f"`levels` must be a list of AutoregressivePrior. Received: {shown(levels)}"
        )
    last = levels[-1]
    for i, level in enumerate(levels):
        checked_int(level.level, f"levels[{i}].level", i, i)
        for name in ("latent_shapes", "codebook_sizes"):
            right, found = getattr(last, name)[: i + 1], getattr(level, name)
            if list(found) != list(right):
                raise ValueError(
                    f"`levels[{i}].{name}` must be {right}, as the last level has them. "
                    f"Received: {found}"
                )
        if level.num_classes != last.num_classes:
            raise ValueError(
                f"`levels[{i}].num_classes` must be {last.num_classes}, as the last level's. "
                f"Received: {level.num_classes}"
            )
