"""Autoregressive prior: a causal network over one map of codes, perhaps given coarser ones."""

import math

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_choice, checked_int, checked_sizes, shown
from vqzoo.latents import are_codes, checked_latents, level_names
from vqzoo.layers.replicas import num_replicas
from vqzoo.networks import CAUSAL_NETWORKS
from vqzoo.priors.checks import check_draw, checked_known, checked_labels
from vqzoo.sampling.batches import even_batches, padded_batches
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.draws import CodeDraws
from vqzoo.sampling.noise import image_keys, uniform_labels
from vqzoo.sampling.options import SamplingOptions
from vqzoo.sampling.sampler import Sampler, draw_map

MOST_PAIRS = 2**25
"""Pairs of positions scored together: 1 GiB of attention weights of eight heads."""


@keras.saving.register_keras_serializable(package="vqzoo")
class AutoregressivePrior(keras.Model):
    """p(codes | coarser codes, label) as a product over positions in raster order.

    Section 3.3 of [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937),
    Equation 1 of arXiv:1606.05328. Of several levels of codes it is the prior of one, as in
    Section 3.2 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446); `HierarchicalPrior` holds those of
    all. The sides of each level are twice those of the next coarser one.

    Trained by plain `compile(optimizer)` and `fit` on batches of one dict
    `{"codes_0": int (batch, height, width), ..., "labels": int (batch,)}` with the maps up to its
    own level, `codes_0` being the coarsest, and labels only if the network has classes; further
    maps are not looked at. The loss is the mean cross-entropy in nats per code of its level;
    `bits_per_code` is logged beside it.

    Args:
        network: causal network with `num_embeddings`, `num_classes` and `condition_channels`, such
            as `GatedPixelCNN`.
        latent_shape: pair of int, height and width of the map.
        level: int, number of coarser levels that the codes are given.
        conditioning: `ConditioningStack` of the coarser levels, with as many filters as the network
            has condition channels; `None` for level 0.
        name: str.

    Raises:
        ValueError: if `latent_shape` is not a pair of positive ints that halve `level` times, or
            `conditioning` does not fit `level` or the network.
    """

    trainable_stage, conditional = True, True

    def __init__(
        self,
        network,
        latent_shape,
        level=0,
        conditioning=None,
        name="autoregressive_prior",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if not hasattr(network, "initial_state"):
            raise TypeError(f"`network` must be a causal network. Received: {shown(network)}")
        self.network, self.conditioning = network, conditioning
        self.level = checked_int(level, "level", 0)
        coarser = _coarser_sizes(network, self.level, conditioning)
        self.codebook_sizes = [*coarser, network.num_embeddings]
        self.latent_shape = checked_sizes(latent_shape, "latent_shape", "(height, width)", 2)
        self.latent_shapes = _level_shapes(self.latent_shape, self.level)
        self.num_classes = network.num_classes
        self.bits_per_code = keras.metrics.Mean(name="bits_per_code")
        self.built = True  # the networks made their weights at construction
        self._sampler = Sampler(network)
        self._log_prob = compiled(self._code_log_probs, self, jit=False)
        self._features = conditioning and compiled(conditioning, conditioning, jit=False)

    def call(self, inputs, training=None):
        """float32 logits `(batch, height, width, num_embeddings)`."""
        condition = {} if self.num_classes is None else {"labels": inputs["labels"]}
        if self.level:
            coarser = [inputs[name] for name in level_names(self.codebook_sizes[:-1])]
            condition["features"] = self.conditioning(coarser, training=training)
        return self.network(self.own_codes(inputs), condition or None, training=training)

    def position_log_probs(self, weights, training=None):
        """log p(k | codes before), float32 `(batch, height, width, num_embeddings)` in nats.

        Args:
            weights: float32 tensor of that shape, a relaxed one-hot sample at each position;
                gradients reach it. The prior must be one of level 0, without classes.
            training: bool, as for a call.
        """
        return ops.log_softmax(self.network(weights, None, training=training), axis=-1)

    def own_codes(self, inputs):
        """The codes of this prior's level in the dict that it is called on."""
        return inputs[f"codes_{self.level}"]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean cross-entropy of the codes in nats; Keras' `fit` and `evaluate` call it."""
        losses = cross_entropy(self.own_codes(x), y_pred)
        loss = ops.mean(losses)
        batch_size = ops.shape(losses)[0]
        self.bits_per_code.update_state(loss / math.log(2), sample_weight=batch_size)
        return loss / num_replicas()  # Keras adds up what the replicas return

    def log_prob(self, latents, labels=None, batch_size=None):
        """Log-probability of the codes of this level, given the coarser ones.

        Args:
            latents: list of int arrays `(batch, height, width)`, up to this level.
            labels: int or int array `(batch,)`; `None` with a conditional prior takes the mean of
                the probability over all classes.
            batch_size: int, images per pass through the network; None for 256, and fewer of large
                maps, of which attention compares all pairs of positions.

        Returns:
            float32 array `(batch,)`, nats.

        Raises:
            ValueError: if codes or labels have a wrong shape, type or range, or labels are missing
                above level 0, where the coarser codes make some classes likelier than others.
        """
        latents = checked_latents(latents, self.latent_shapes, self.codebook_sizes)
        labels = checked_labels(labels, len(latents[0]), self.num_classes)
        if batch_size is None:
            batch_size = _maps_at_once(*self.latent_shapes[self.level])
        checked_int(batch_size, "batch_size")
        if labels is not None or self.num_classes is None:
            return self._batched_log_prob(latents, labels, batch_size)
        if self.level:
            raise ValueError(
                "`labels` must be given for a level above 0: `HierarchicalPrior.log_prob` averages "
                "over the classes of all levels together. Received: None"
            )
        every = [
            self._batched_log_prob(latents, np.full(len(latents[0]), label, "int32"), batch_size)
            for label in range(self.num_classes)
        ]
        return np.logaddexp.reduce(every, axis=0) - np.float32(math.log(self.num_classes))

    def _batched_log_prob(self, latents, labels, batch_size):
        inputs = self._inputs(latents, labels)
        values = np.empty(len(latents[0]), "float32")
        for rows in even_batches(len(values), batch_size):
            batch = {name: value[rows] for name, value in inputs.items()}
            values[rows] = ops.convert_to_numpy(self._log_prob(batch))
        return values

    def _inputs(self, latents, labels):
        inputs = dict(zip(level_names(self.codebook_sizes), latents, strict=True))
        return inputs if labels is None else inputs | {"labels": labels}

    def _code_log_probs(self, inputs):
        logits = self(inputs, training=False)
        return -ops.sum(cross_entropy(self.own_codes(inputs), logits), axis=(1, 2))

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
        """Draws codes of this level. An image depends on seed, index and label, not on its batch.

        Args:
            num_images: int.
            labels: int, or int array `(num_images,)`; `None` with a conditional prior draws them
                uniformly, by the same seed.
            seed: int in `[0, 2**64)`.
            options: `SamplingOptions`.
            known: `None`, or a pair of lists: codes, int `(num_images, height, width)`, and
                masks, bool, true where a code is to be drawn. The other codes stay. Above level 0
                it gives the maps up to this level, with masks that are false on the coarser ones.
            first_index: int, index of the first image: images 64 and on of a seed are
                `first_index=64`.
            batch_size: int, the most images at a time.

        Returns:
            List of int32 arrays `(num_images, height, width)`: the coarser maps, and the drawn one.

        Raises:
            ValueError: if an argument has a wrong shape, type or range, or a coarser code is not
                known.
        """
        check_draw(num_images, seed, options, first_index, batch_size)
        labels = checked_labels(labels, num_images, self.num_classes)
        shapes, sizes = self.latent_shapes, self.codebook_sizes
        latents, masks = checked_known(known, num_images, shapes, sizes)
        if any(mask.any() for mask in masks[:-1]):
            raise ValueError(
                f"`known` must give all codes of the {self.level} coarser levels. "
                f"Received: {'None' if known is None else 'masks that are true there'}"
            )
        indices = first_index + np.arange(num_images)
        if labels is None and self.num_classes is not None:
            labels = ops.convert_to_numpy(uniform_labels(seed, indices, self.num_classes))
        for rows, chosen in padded_batches(num_images, batch_size):
            condition = {} if labels is None else {"labels": labels[chosen]}
            if self.level:  # once a batch, and not under XLA, which is slow with convolutions
                condition["features"] = self._features([level[chosen] for level in latents[:-1]])
            keys = image_keys(seed, indices[chosen], self.level)
            codes, mask = latents[-1][chosen], masks[-1][chosen]
            drawn = self._sampler(keys, condition, codes, mask, options)
            latents[-1][rows] = ops.convert_to_numpy(drawn)[: rows.stop - rows.start]
        return latents

    def latents_of_seeds(self, seeds, labels, temperature, coarser=()):
        """`sample(1, label, seed)` for every row, as plain operations: what an export holds.

        Args:
            seeds: int tensor `(batch,)`, in `[0, 2**32)`.
            labels: int tensor `(batch,)`, or `None` with an unconditional prior.
            temperature: float32 tensor `(batch,)`.
            coarser: list of int32 tensors `(batch, h, w)`, codes of the coarser levels.

        Returns:
            List of int32 tensors `(batch, height, width)`: the coarser maps, and the drawn one.
        """
        keys = image_keys(seeds, ops.zeros_like(seeds), self.level)
        condition = {} if labels is None else {"labels": labels}
        if self.level:
            condition["features"] = self.conditioning(list(coarser))
        shape = (ops.shape(seeds)[0], *self.latent_shape)
        codes, mask = ops.zeros(shape, "int32"), ops.ones(shape, "bool")
        draws = CodeDraws(self.network.num_embeddings, SamplingOptions())
        drawn = draw_map(self.network, draws, keys, temperature, condition, codes, mask)
        return [*coarser, drawn]

    @classmethod
    def for_latents(cls, latent_shapes, codebook_sizes, num_classes, network):
        """A new prior over one level of codes.

        Args:
            latent_shapes: list of one (height, width).
            codebook_sizes: list of one int.
            num_classes: int or `None`.
            network: mapping, `family` and the other arguments of the network.

        Raises:
            ValueError: if there are several levels, or one of vectors, or the network's family is
                not known.
        """
        if len(latent_shapes) != 1 or not are_codes(codebook_sizes):
            raise ValueError(
                f"`codebook_sizes` must hold the size of one level of codes for a {cls.__name__}; "
                f"a HierarchicalPrior takes several. Received: {codebook_sizes=}"
            )
        return cls(causal_network(network, codebook_sizes[0], num_classes), latent_shapes[0])

    def get_config(self):
        """Constructor arguments, the networks serialised."""
        parts = {"network": self.network, "conditioning": self.conditioning}
        parts = {key: keras.saving.serialize_keras_object(part) for key, part in parts.items()}
        sizes = {"latent_shape": list(self.latent_shape), "level": self.level}
        return {**super().get_config(), **sizes, **parts}

    @classmethod
    def from_config(cls, config):
        """The prior that `get_config` came from, with new weights."""
        parts = {key: config.get(key) for key in ("network", "conditioning")}
        parts = {key: keras.saving.deserialize_keras_object(part) for key, part in parts.items()}
        return cls(**{**config, **parts})


def causal_network(config, num_embeddings, num_classes, condition_channels=None):
    """The causal network that a mapping with `family` and further arguments describes.

    Raises:
        ValueError: if the family is not known.
    """
    arguments = {**config, "condition_channels": condition_channels}
    family = checked_choice(arguments.pop("family", None), "network.family", sorted(CAUSAL_NETWORKS))
    return CAUSAL_NETWORKS[family](num_embeddings, num_classes, **arguments)


def cross_entropy(codes, logits):
    """Negative log-probability in nats of each code, float32 `(batch, height, width)`."""
    return ops.sparse_categorical_crossentropy(codes, logits, from_logits=True)


def _coarser_sizes(network, level, conditioning):
    """The codebook sizes of the coarser levels; checks that the parts belong to each other."""
    channels = getattr(network, "condition_channels", None)
    if not level:
        if conditioning is not None or channels is not None:
            raise ValueError(
                "`conditioning` and the network's `condition_channels` must be None at level 0. "
                f"Received: conditioning={shown(conditioning)}, condition_channels={channels}"
            )
        return []
    sizes = getattr(conditioning, "num_embeddings", ())
    if len(sizes) != level or conditioning.filters != channels:
        raise ValueError(
            f"`conditioning` must be a ConditioningStack of as many levels as `level` says, {level}, "
            "its filters as many as the network's `condition_channels`. "
            f"Received: {shown(conditioning)} of {len(sizes)} levels, {channels} channels"
        )
    return list(sizes)


def _level_shapes(latent_shape, level):
    """Shapes of the levels up to this one, each twice the one before; a ValueError if none fit."""
    if any(side % 2**level for side in latent_shape):
        raise ValueError(
            f"`latent_shape` must have sides divisible by {2**level} at level {level}. "
            f"Received: {tuple(latent_shape)}"
        )
    steps = range(level, -1, -1)
    return [tuple(side // 2**step for side in latent_shape) for step in steps]


def _maps_at_once(height, width):
    """How many maps are scored together: int; no number depends on it."""
    return min(256, max(1, MOST_PAIRS // (height * width) ** 2))
