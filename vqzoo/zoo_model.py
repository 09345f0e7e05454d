"""ZooModel: an autoencoder and a prior over its latents, held together."""

import functools
import math

import keras
import numpy as np

from vqzoo import inputs, weights
from vqzoo.checks import checked_int, checked_path, checked_seed
from vqzoo.classifier import checked_critic
from vqzoo.in_memory import fit_in_memory
from vqzoo.latents import are_codes, checked_latents
from vqzoo.models.as_layer import AsLayer
from vqzoo.models.joint_training import JointTraining
from vqzoo.priors.checks import checked_labels
from vqzoo.sampling import SamplingOptions, rejection
from vqzoo.sampling.batches import in_batches


class ZooModel:
    """A latent-variable image model in its parts; what `vqzoo.load` and `vqzoo.create` give.

    Images are uint8 `(batch, height, width, channels)` wherever they go in or out. Codes are a list
    of int32 `(batch, h, w)`, coarse to fine, of one entry a level; a model with continuous latents
    has float32 vectors in their place, of the shapes `autoencoder.latent_shapes`.

    ```python
    model = vqzoo.load("vqvae_fashion_mnist")
    images = model.sample(16, labels="sneaker", seed=0)    # uint8 (16, 28, 28, 1)
    (codes,) = model.encode(images)                        # int32 (16, 7, 7)
    ```

    Args:
        config: dict, a checked configuration.
        autoencoder: `keras.Model` of a family in `vqzoo.models`.
        prior: a prior of `vqzoo.priors` for the latents of `autoencoder`.
        card: str or None, the model card's text.
        tokenizer_hash: str or None, `autoencoder.tokenizer_hash()` of the codes on which the prior
            was trained; None says that it belongs to the autoencoder as it is.
        has_prior: bool, False if it comes from files that hold no weights for the prior.
    """

    def __init__(
        self, config, autoencoder, prior, card=None, tokenizer_hash=None, has_prior=True
    ):
        self.config, self.autoencoder, self.prior, self.card = config, autoencoder, prior, card
        self.tokenizer_hash, self._has_prior = tokenizer_hash, has_prior

    @property
    def class_names(self):
        """Names of the labels in the order of their ids, or None."""
        return self.config["data"].get("class_names")

    @functools.cached_property
    def joint_training(self):
        """`JointTraining` of both parts, if the configuration has that stage, else None."""
        if "joint" not in self.config.get("training", {}):
            return None
        return JointTraining(self.autoencoder, self.prior)

    @property
    def has_prior(self):
        """bool, False if files held no weights for the prior and it has had no training step."""
        levels = getattr(self.prior, "levels", [])
        all_levels = bool(levels) and all(map(_had_a_step, levels))
        return self._has_prior or _had_a_step(self.prior) or all_levels

    def encode(self, images, batch_size=64):
        """Codes of images, a list of int32 arrays `(batch, h, w)`, coarse to fine.

        A model with continuous latents gives the means of q(z | x) in their place, float32.

        Args:
            images: uint8 `(batch, height, width, channels)`.
            batch_size: int, most images in one pass.

        Raises:
            ValueError: if `images` has a wrong type, rank, number of channels or size.
        """
        self._need_latents("encode")
        images = self._images(images)
        encoder = self.autoencoder.encoder_model
        return in_batches(encoder.predict_on_batch, [images], batch_size, "encoding batch")

    def decode(self, codes, batch_size=64):
        """Images of codes: uint8 `(batch, height, width, channels)`.

        Args:
            codes: list of int arrays `(batch, h, w)`, or of float vectors, as `encode` gives.
            batch_size: int, most images in one pass.

        Raises:
            ValueError: if `codes` is no such list, a code is none of its codebook's, or the sizes
                of the levels do not fit each other.
        """
        self._need_latents("decode")
        shapes, sizes = self.autoencoder.latent_shapes, self.autoencoder.codebook_sizes
        listed = isinstance(codes, (list, tuple)) and len(codes) == len(shapes)
        if listed and self.autoencoder.stride is not None:  # images, and their maps, have any size
            shapes = inputs.own_sizes(codes[0], shapes)
        codes = checked_latents(codes, shapes, sizes, "codes")
        if not codes[0].size:
            raise ValueError(f"`codes` must hold an image or more. Received: {codes[0].shape}")
        decode = self._decode_model.predict_on_batch
        return in_batches(decode, codes, batch_size, "decoding batch")[0]

    @functools.cached_property
    def _decode_model(self):
        codes = self.autoencoder.decoder_model.inputs
        return keras.Model(codes, AsLayer(self.autoencoder.decode, [self.autoencoder])(codes))

    def reconstruct(self, images, batch_size=64):
        """Images through the bottleneck and back, bit for bit `decode(encode(images))`.

        Args:
            images: uint8 `(batch, height, width, channels)`.
            batch_size: int, most images in one pass.

        Raises:
            ValueError: if `images` has a wrong type, rank, number of channels or size.
        """
        self._need_latents("reconstruct")
        return self.decode(self.encode(images, batch_size), batch_size)

    def sample(
        self,
        num_images,
        labels=None,
        seed=0,
        temperature=1.0,
        top_k=None,
        top_p=None,
        incremental=True,
        batch_size=64,
        critic=None,
        keep=None,
    ):
        """New images, uint8 `(num_images, height, width, channels)`.

        Image i depends on the seed, on i and on its label, not on the other images. With a critic
        more are drawn than wanted, and those of each class in which it sees the class most clearly
        are kept, in the order in which they were drawn: Section 3.3 of arXiv:1906.00446.

        Args:
            num_images: int.
            labels: class name or id, a list of one for each image, or None: drawn uniformly.
            seed: int in 0..2**32 - 1.
            temperature, top_k, top_p, incremental: as for `vqzoo.sampling.SamplingOptions`.
            batch_size: int, most images in one pass.
            critic: `vqzoo.classifier.Classifier` of the model's classes, or the name or folder of
                one, such as `"classifier_fashion_mnist"`; None keeps every image.
            keep: float in (0, 1], share of the drawn images that is kept; None with a critic: 0.1.

        Raises:
            ValueError: if an argument is outside its range, or the prior has no weights.
            FileNotFoundError: if there is no such critic.
        """
        num_images = checked_int(num_images, "num_images")
        options = SamplingOptions(temperature, top_k, top_p, incremental)
        keep = rejection.checked_keep(keep, critic)
        if critic is not None:
            shape = self.autoencoder.image_shape
            critic = checked_critic(critic, self.class_names, self.prior.num_classes, shape)
        labels = self.draw_labels(num_images, labels, seed)
        wanted = labels if critic is None else rejection.candidate_labels(labels, keep)
        if not self.autoencoder.latent_shapes:
            return self.autoencoder.sample(num_images, seed, None, batch_size, options)
        count = num_images if wanted is None else len(wanted)
        codes = self._sample_latents(
            count, wanted, seed=seed, options=options, batch_size=batch_size
        )
        if critic is not None:
            scores = self._seen(critic, codes, wanted, batch_size)
            best = rejection.best_rows(labels, wanted, scores)
            codes = [level[best] for level in codes]
        return self.decode(codes, batch_size)

    def _seen(self, critic, codes, labels, batch_size):
        """p(label given image) that a critic sees in each decoded image, float32 `(images,)`."""

        def score(rows):
            *latents, asked = rows
            return critic.probabilities(self.decode(latents))[np.arange(len(asked)), asked]

        return in_batches(score, [*codes, labels], batch_size, "judging batch")[0]

    def draw_labels(self, num_images, labels=None, seed=0):
        """The label ids that `sample` gives its images: int32 `(num_images,)`, or None.

        Args:
            num_images: int.
            labels: class name or id, a list of one for each image, or None: drawn uniformly.
            seed: int in 0..2**32 - 1.

        Raises:
            ValueError: if a label is unknown, or the prior has no classes.
        """
        seed, num_classes = checked_seed(seed), self.prior.num_classes
        num_images = checked_int(num_images, "num_images")
        labels = checked_labels(self._label_ids(labels), num_images, num_classes)
        if labels is None and num_classes is not None:
            return np.random.default_rng(seed).integers(num_classes, size=num_images, dtype="int32")
        return labels

    def complete(self, images, mask, labels=None, seed=0, batch_size=64):
        """Images whose masked part is sampled anew, given the rest; known pixels do not change.

        Codes that the mask touches are drawn in raster order, the others kept. A code sees no
        later one, so what lies below a hole has no influence on it but through the decoder.

        Args:
            images: uint8 `(batch, height, width, channels)` of the training size.
            mask: bool, True where to sample; `(height, width)` of the images or of a level's codes,
                with or without a leading batch axis.
            labels: class name or id, a list of one for each image, or None: drawn uniformly.
            seed: int in 0..2**32 - 1.
            batch_size: int, most images in one pass.

        Returns:
            uint8 array of the shape of `images`.

        Raises:
            ValueError: if an argument has a wrong type, shape or range, or the model has no codes
                that belong to a part of the image.
        """
        images = self._images(images, exact=True)
        latent_shapes = self.autoencoder.latent_shapes
        if latent_shapes and not are_codes(self.autoencoder.codebook_sizes):
            raise ValueError("`complete` needs a model with codes: this one's latents are vectors")
        pixels = inputs.pixel_mask(mask, len(images), self.autoencoder.image_shape, latent_shapes)
        labels = self.draw_labels(len(images), labels, seed)
        if not latent_shapes:
            return self.autoencoder.sample(len(images), seed, (images, pixels), batch_size)
        known = self.encode(images, batch_size)
        masks = [inputs.code_mask(pixels, shape) for shape in latent_shapes]
        codes = self._sample_latents(
            len(images), labels, seed=seed, known=(known, masks), batch_size=batch_size
        )
        return np.where(pixels[..., None], self.decode(codes, batch_size), images)

    def elbo(self, images, labels=None, batch_size=64, seed=0):
        """Lower bound of log p(image) in nats, float32 `(batch,)`.

        It is log p(x | z) + log p(z | label) - log q(z | x) for one z drawn from q(z | x). Codes
        are a function of the image, and then the last term is 0 and nothing is drawn. p(x | z) is
        a distribution over integer pixels, and no constant is left out. Of a model without latents
        it is log p(image) itself.

        Args:
            images: uint8 `(batch, height, width, channels)` of the training size.
            labels: class name or id, a list of one for each image, or None; without labels a
                conditional prior is averaged over its classes.
            batch_size: int, most images in one pass.
            seed: int in 0..2**64 - 1, of the draws; image i's depends on the seed and on i.

        Raises:
            ValueError: if an argument has a wrong type, shape or range.
        """
        images, seed = self._images(images, exact=True), checked_int(seed, "seed", 0, 2**64 - 1)
        labels = checked_labels(self._label_ids(labels), len(images), self.prior.num_classes)
        self._need_prior()

        def score(batch):
            _, draws, log_posterior = self.autoencoder.posterior(batch[0], seed, batch[1])
            nats = self.autoencoder.image_log_prob(batch[0], draws)
            return [nats - log_posterior, *draws]

        rows = [images, np.arange(len(images))]
        nats, *draws = in_batches(score, rows, batch_size, "scoring batch")
        return nats + np.asarray(self.prior.log_prob(draws, labels))

    def bits_per_dim(self, images, labels=None, batch_size=64, seed=0):
        """-log2 p(image) over height * width * channels.

        Args:
            images, labels, batch_size, seed: as for `elbo`.

        Returns:
            Pair of float32 `(batch,)` and the str `"exact"` or `"bound"`: whether this is the
            model's own figure or one that it lies below.

        Raises:
            ValueError: if an argument has a wrong type, shape or range, or if the likelihood is
                not over grey levels: its bits would be compared with those of other models.
        """
        unit = self.autoencoder.likelihood.unit
        if unit != "dim":
            raise ValueError(
                "`bits_per_dim` is of grey levels, and this model's likelihood is not: `elbo` gives "
                f"nats per image. Received: a model of bits per {unit}"
            )
        nats = self.elbo(images, labels, batch_size, seed)
        bits = -nats / (math.log(2) * math.prod(self.autoencoder.image_shape))
        return bits, "bound" if self.autoencoder.latent_shapes else "exact"

    def fit(self, dataset, autoencoder=None, prior=None):
        """Trains both stages in memory: the autoencoder, then the prior on its codes.

        A model that is trained jointly has one stage, that of `joint_training`, whose arguments are
        `autoencoder`. What is not compiled is compiled with Adam. At the end the scale of the
        likelihood is fitted where it is no learnt or given one. For checkpoints, schedules and data
        that does not fit in memory there is `vqzoo.train`.

        Args:
            dataset: uint8 images, a pair of images and int labels, or what can be iterated again
                and again for batches of either, such as a `tf.data.Dataset`.
            autoencoder: dict, keyword arguments of the autoencoder's `fit`.
            prior: dict, keyword arguments of the prior's `fit`.

        Returns:
            Pair of the stages' `keras.callbacks.History`; None for a prior without a stage.

        Raises:
            ValueError: if the first batch is not right, or the prior needs labels and has none.
            TypeError: if an argument is neither data nor a dict.
        """
        histories = fit_in_memory(self, dataset, autoencoder, prior)
        if self.joint_training:
            self._has_prior = True
        if self.prior.weights:
            self.tokenizer_hash = self.autoencoder.tokenizer_hash()
        return histories

    def save(self, folder):
        """Writes configuration, weights and checksums to a folder that `vqzoo.load` reads.

        Args:
            folder: path; made if it does not exist.

        Raises:
            ValueError: if the prior belongs to other codes than the autoencoder's.
            OSError: if the folder cannot be written.
        """
        checked_path(folder, "folder")
        self.check_tokenizer()
        prior = self.prior if self.has_prior and self.prior.weights else None
        own = self.autoencoder.tokenizer_hash()
        weights.save_folder(folder, self.config, self.autoencoder, prior, own)

    def export(self, folder):
        """Writes a SavedModel for TensorFlow Serving; see `vqzoo.export.saved_model.export`.

        Args:
            folder: path; its last part is the name to serve under. It will hold the SavedModel as
                version `1/`, or as the version after the highest there.

        Returns:
            `pathlib.Path` of the new version.

        Raises:
            ValueError: if Keras' backend is not TensorFlow.
            OSError: if the folder cannot be written.
        """
        from vqzoo.export import saved_model

        return saved_model.export(self, folder)

    def check_tokenizer(self):
        """Raises ValueError if the prior was trained on the codes of another autoencoder.

        Its samples would be noise. Once the prior is trained anew, set `tokenizer_hash` to None.
        """
        own = self.autoencoder.tokenizer_hash()
        if self.tokenizer_hash not in (None, own):
            raise ValueError(
                "the prior was trained on the codes of another autoencoder, with `tokenizer_hash` "
                f"{str(self.tokenizer_hash)[:12]}...; train it on the codes of this one. "
                f"Received: an autoencoder with {own[:12]}..."
            )

    def _sample_latents(self, num_images, labels, **arguments):
        self._need_prior()
        return self.prior.sample(num_images, labels, **arguments)

    def _need_prior(self):
        if not self.has_prior:
            raise ValueError(
                "this model has weights for its autoencoder only, since no prior of it has been "
                "trained or has beaten the baseline of an entry that samples: train one by `vqzoo "
                "train` or `fit`"
            )

    def _need_latents(self, method):
        if not self.autoencoder.latent_shapes:
            raise ValueError(
                f"`{method}` needs latents, and this model has none: it draws pixel after pixel"
            )

    def _label_ids(self, labels):
        return inputs.label_ids(labels, self.class_names)

    def _images(self, images, exact=False):
        return inputs.checked_images(
            images, self.autoencoder.image_shape, self.autoencoder.stride, exact
        )


def _had_a_step(model):
    """Whether a Keras model has had a training step since it was built."""
    optimizer = getattr(model, "optimizer", None)
    return optimizer is not None and int(optimizer.iterations) > 0
