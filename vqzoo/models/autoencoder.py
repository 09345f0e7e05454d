"""What the families of autoencoders share, and what each of them owes."""

import functools
import hashlib
import json

import keras
from keras import ops

from vqzoo.checks import shown
from vqzoo.latents import level_names
from vqzoo.models.as_layer import AsLayer


class Autoencoder(keras.Model):
    """Base of the families: a functional graph from uint8 images to the likelihood's parameters.

    A family sets these attributes:

    - `image_shape`: (height, width, channels) that it is trained on.
    - `stride`: int, of which the sides of other images may be any multiple; None if it takes
      images of `image_shape` only.
    - `latent_shapes`: list of a level's shape without the batch, coarse to fine; empty for a model
      of pixels, which has neither `encode` nor `decode`.
    - `codebook_sizes`: list of a level's number of codes K, or None for a level of vectors.
    - `likelihood`: of `vqzoo.likelihoods`.
    - `likelihood_scale`: float32 scalar, the likelihood's scale in grey levels, or None.
    - `fits_scale`: bool, whether that is fitted on training images when stage 1 is over.
    - `exact_weights`: list of variables that files keep in float32.

    - `stochastic`: bool, whether q(z | x) is a distribution to draw from, and no function.
    - `trains_with_prior`: bool, whether `JointTraining` takes it.

    and has these methods: `encode`, `decoder_output`, `to_pixels`, `log_likelihood`, `posterior`
    and `_tokenizer_weights`.
    """

    stochastic, trains_with_prior = True, False

    def compile(self, optimizer="adam", metrics=("mse",), **kwargs):
        """As for every `keras.Model`, but for the loss, which is the model's own.

        Metrics compare decoded pixels with the images, on the scale -1..1.
        """
        super().compile(optimizer=optimizer, metrics=list(metrics) or None, **kwargs)

    def compile_from_config(self, config):
        """Compiles a loaded model as it was: Keras does not where `compile` is overridden."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        # Labels, if a data set has them, are not this model's matter.
        pixels = self.to_pixels(y_pred)
        return super().compute_metrics(x, scale_pixels(x), pixels, sample_weight)

    def encode(self, images):
        """Latents of uint8 `images`: a list of int32 maps of codes or float32 mean vectors."""
        raise NotImplementedError

    def posterior(self, images, seed, indices):
        """A draw of q(z | x) for each image, and where it came from.

        Args:
            images: uint8 array `(batch, height, width, channels)`.
            seed: int in 0..2**32 - 1.
            indices: int array `(batch,)`; an image's draw depends on the seed and its index.

        Returns:
            `(latents, draws, log_prob)`: the list that `encode` gives, such a list of draws (the
            same one where latents are a function of the image), and log q(draws | x), float32
            `(batch,)` in nats.
        """
        raise NotImplementedError

    def training_callbacks(self, steps=None):
        """List of the `keras.callbacks.Callback` that `fit` needs to train this family: none.

        Args:
            steps: int, steps of the whole training; None for those of one `fit`.
        """
        return []

    def decoder_output(self, latents):
        """What the likelihood takes, given a list of latents: float32, shaped like the images."""
        raise NotImplementedError

    def to_pixels(self, decoder_output):
        """Pixels on the scale -1..1, float32, that stand for p(x | z) in pictures and errors."""
        raise NotImplementedError

    def log_likelihood(self, images, decoder_output):
        """log p(x | z) in nats, float32 `(batch,)`, of uint8 `images`."""
        raise NotImplementedError

    def image_log_prob(self, images, latents):
        """log p(x | z) in nats, float32 array `(batch,)`, of uint8 images and a list of latents."""
        output = self.decoder_model.predict_on_batch(latents)
        return ops.convert_to_numpy(self.log_likelihood(images, output))

    def decode(self, latents):
        """Images given a list of latents: uint8 `(batch, height, width, channels)`."""
        return unscale_pixels(self.to_pixels(self.decoder_output(latents)))

    @functools.cached_property  # not a tracked attribute: its weights are saved once, by the parts
    def encoder_model(self):
        """`keras.Model` of `encode`, for compiled calls in batches (`predict`)."""
        images = keras.Input(self.inputs[0].shape[1:], dtype="uint8", name="images")
        return keras.Model(images, self.encode(images))

    @functools.cached_property
    def decoder_model(self):
        """`keras.Model` of `decoder_output`, for compiled calls in batches (`predict`)."""
        names = level_names(self.codebook_sizes)
        levels = zip(names, self.latent_shapes, self.codebook_sizes, strict=True)
        latents = [self._latent_input(*level) for level in levels]
        # Its layers, not itself: Keras loads what it finds here too, and would go round in circles.
        return keras.Model(latents, AsLayer(self.decoder_output, self.layers)(latents))

    def _latent_input(self, name, shape, size):
        shape = shape if self.stride is None else (None, None, *shape[2:])
        return keras.Input(shape, dtype="float32" if size is None else "int32", name=name)

    def tokenizer_hash(self):
        """sha256, hex, of all that decides which latents an image gets."""
        digest = hashlib.sha256(json.dumps(self._arguments, sort_keys=True).encode())
        for weight in self._tokenizer_weights():
            digest.update(ops.convert_to_numpy(weight).astype("<f4").tobytes())
        return digest.hexdigest()

    def _tokenizer_weights(self):
        """List of the variables that decide which latents an image gets."""
        raise NotImplementedError

    def get_config(self):
        return dict(self._arguments)


def checked_image_shape(image_shape, stride):
    """Three ints, height, width and channels, as a tuple.

    Raises:
        ValueError: if `image_shape` is no such triple, or a side is not divisible by `stride`.
    """
    listed = isinstance(image_shape, (list, tuple)) and len(image_shape) == 3
    right = listed and all(type(size) is int and size > 0 for size in image_shape)
    if not right or any(side % stride for side in image_shape[:2]):
        raise ValueError(
            "`image_shape` must be (height, width, channels) with both sides divisible by "
            f"{stride}, such as (28, 28, 1). Received: {shown(image_shape)}"
        )
    return tuple(image_shape)


def scale_pixels(images):
    """Grey levels 0..255 of any dtype to float32 on -1..1, the scale of all losses."""
    return ops.cast(images, "float32") / 127.5 - 1


def to_grey_levels(pixels):
    """Pixels on -1..1 to grey levels 0..255, float32."""
    return (pixels + 1) * 127.5


def unscale_pixels(pixels):
    """Pixels on -1..1 to uint8 grey levels 0..255; values beyond the ends are clipped."""
    return ops.cast(ops.round(ops.clip(to_grey_levels(pixels), 0, 255)), "uint8")
