"""Autoregressive prior: a causal network over one map of codes."""

import math

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_int, checked_sizes, shown
from vqzoo.latents import are_codes, checked_latents
from vqzoo.layers.replicas import num_replicas
from vqzoo.networks import CAUSAL_NETWORKS
from vqzoo.priors.checks import check_draw, checked_known, checked_labels
from vqzoo.progress import track
from vqzoo.sampling.batches import even_batches
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import image_keys, uniform_labels
from vqzoo.sampling.options import SamplingOptions
from vqzoo.sampling.sampler import Sampler, draw_codes


@keras.saving.register_keras_serializable(package="vqzoo")
class AutoregressivePrior(keras.Model):
    """p(codes | label) as a product over positions in raster order.

    Section 3.3 of [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937),
    Equation 1 of arXiv:1606.05328.

    Trained by plain `compile(optimizer)` and `fit` on batches of one dict
    `{"codes_0": int (batch, height, width), "labels": int (batch,)}`, the labels only if the
    network has classes. The loss is the mean cross-entropy in nats per code; `bits_per_code` is
    logged beside it.

    Args:
        network: causal network with `num_embeddings` and `num_classes`, such as `GatedPixelCNN`.
        latent_shape: pair of int, height and width of the map.
        name: str.

    Raises:
        ValueError: if `latent_shape` is not a pair of positive ints.
    """

    trainable_stage, conditional = True, True

    def __init__(self, network, latent_shape, name="autoregressive_prior", **kwargs):
        super().__init__(name=name, **kwargs)
        if not hasattr(network, "initial_state"):
            raise TypeError(f"`network` must be a causal network. Received: {shown(network)}")
        self.network = network
        self.latent_shape = checked_sizes(latent_shape, "latent_shape", "(height, width)", 2)
        self.num_classes = network.num_classes
        self.bits_per_code = keras.metrics.Mean(name="bits_per_code")
        self.built = True  # the network made its weights at construction
        self._sampler = Sampler(network)
        self._log_prob = compiled(self._code_log_probs, network, jit=False)

    def call(self, inputs, training=None):
        """float32 logits `(batch, height, width, num_embeddings)`."""
        return self.network(inputs["codes_0"], self._condition(inputs), training=training)

    def _condition(self, inputs):
        return None if self.num_classes is None else {"labels": inputs["labels"]}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean cross-entropy of the codes in nats; Keras' `fit` and `evaluate` call it."""
        losses = ops.sparse_categorical_crossentropy(x["codes_0"], y_pred, from_logits=True)
        loss = ops.mean(losses)
        batch_size = ops.shape(losses)[0]
        self.bits_per_code.update_state(loss / math.log(2), sample_weight=batch_size)
        return loss / num_replicas()  # Keras adds up what the replicas return

    def log_prob(self, latents, labels=None, batch_size=256):
        """Log-probability of each image's codes.

        Args:
            latents: list of one int array `(batch, height, width)`.
            labels: int or int array `(batch,)`; `None` with a conditional prior takes the mean of
                the probability over all classes.
            batch_size: int, images per pass through the network.

        Returns:
            float32 array `(batch,)`, nats.

        Raises:
            ValueError: if codes or labels have a wrong shape, type or range.
        """
        (codes,) = checked_latents(latents, [self.latent_shape], [self.network.num_embeddings])
        labels = checked_labels(labels, len(codes), self.num_classes)
        checked_int(batch_size, "batch_size")
        if labels is not None or self.num_classes is None:
            return self._batched_log_prob(codes, labels, batch_size)
        every = [
            self._batched_log_prob(codes, np.full(len(codes), label, "int32"), batch_size)
            for label in range(self.num_classes)
        ]
        return np.logaddexp.reduce(every, axis=0) - np.float32(math.log(self.num_classes))

    def _batched_log_prob(self, codes, labels, batch_size):
        inputs = {"codes_0": codes} if labels is None else {"codes_0": codes, "labels": labels}
        values = np.empty(len(codes), "float32")
        for rows in even_batches(len(codes), batch_size):
            batch = {name: value[rows] for name, value in inputs.items()}
            values[rows] = ops.convert_to_numpy(self._log_prob(batch))
        return values

    def _code_log_probs(self, inputs):
        logits = self(inputs, training=False)
        losses = ops.sparse_categorical_crossentropy(inputs["codes_0"], logits, from_logits=True)
        return -ops.sum(losses, axis=(1, 2))

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
        """Draws codes. An image depends on seed, index and label, not on the batch it is in.

        Args:
            num_images: int.
            labels: int, or int array `(num_images,)`; `None` with a conditional prior draws them
                uniformly, by the same seed.
            seed: int in `[0, 2**64)`.
            options: `SamplingOptions`.
            known: `None`, or a pair of lists: codes, int `(num_images, height, width)`, and
                masks, bool, true where a code is to be drawn. The other codes stay.
            first_index: int, index of the first image: images 64 and on of a seed are
                `first_index=64`.
            batch_size: int, the most images at a time.

        Returns:
            List of one int32 array `(num_images, height, width)`.

        Raises:
            ValueError: if an argument has a wrong shape, type or range.
        """
        check_draw(num_images, seed, options, first_index, batch_size)
        labels = checked_labels(labels, num_images, self.num_classes)
        sizes = [self.network.num_embeddings]
        (codes,), (mask,) = checked_known(known, num_images, [self.latent_shape], sizes)
        indices = first_index + np.arange(num_images)
        if labels is None and self.num_classes is not None:
            labels = ops.convert_to_numpy(uniform_labels(seed, indices, self.num_classes))
        batches = even_batches(num_images, batch_size)
        for rows in track(batches, len(batches), "sampling batch"):
            # Filled up to a power of two: each other size would be compiled anew.
            size = 2 ** math.ceil(math.log2(batches[0].stop))
            chosen = np.minimum(np.arange(rows.start, rows.start + size), rows.stop - 1)
            condition = None if labels is None else {"labels": labels[chosen]}
            keys = image_keys(seed, indices[chosen])
            drawn = self._sampler(keys, condition, codes[chosen], mask[chosen], options)
            codes[rows] = ops.convert_to_numpy(drawn)[: rows.stop - rows.start]
        return [codes]

    def latents_of_seeds(self, seeds, labels, temperature):
        """`sample(1, label, seed)` for every row, as plain operations: what an export holds.

        Args:
            seeds: int tensor `(batch,)`, in `[0, 2**32)`.
            labels: int tensor `(batch,)`, or `None` with an unconditional prior.
            temperature: float32 tensor `(batch,)`.

        Returns:
            List of one int32 tensor `(batch, height, width)`.
        """
        keys = image_keys(seeds, ops.zeros_like(seeds))
        condition = {} if labels is None else {"labels": labels}
        shape = (ops.shape(seeds)[0], *self.latent_shape)
        codes, mask = ops.zeros(shape, "int32"), ops.ones(shape, "bool")
        options = SamplingOptions()
        return [draw_codes(self.network, options, keys, temperature, condition, codes, mask)]

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
                f"`codebook_sizes` must hold the size of one level of codes for a {cls.__name__}. "
                f"Received: {codebook_sizes=}"
            )
        arguments = dict(network)
        family = arguments.pop("family", None)
        if family not in CAUSAL_NETWORKS:
            names = sorted(CAUSAL_NETWORKS)
            raise ValueError(f"`network.family` must be one of {names}. Received: {family!r}")
        return cls(
            CAUSAL_NETWORKS[family](codebook_sizes[0], num_classes, **arguments), latent_shapes[0]
        )

    def get_config(self):
        """Constructor arguments, the network serialised."""
        network = keras.saving.serialize_keras_object(self.network)
        arguments = {"network": network, "latent_shape": list(self.latent_shape)}
        return {**super().get_config(), **arguments}

    @classmethod
    def from_config(cls, config):
        """The prior that `get_config` came from, with new weights."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})
