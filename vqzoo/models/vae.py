"""VAE: convolutional encoder, one Gaussian vector an image, convolutional decoder."""

import functools
import math

import keras
from keras import ops

from vqzoo.checks import checked_choice
from vqzoo.layers.gaussian_bottleneck import GaussianBottleneck
from vqzoo.layers.replicas import num_replicas
from vqzoo.likelihoods.bernoulli import Bernoulli
from vqzoo.likelihoods.discretized_normal import DiscretizedNormal
from vqzoo.models.autoencoder import (
    Autoencoder,
    checked_image_shape,
    to_grey_levels,
)
from vqzoo.networks.decoder import Decoder
from vqzoo.networks.encoder import Encoder
from vqzoo.sampling.noise import POSTERIOR_STREAM, image_keys, normal_noise

STRIDE = 4  # two strided convolutions
LIKELIHOODS = {"discretized_normal": DiscretizedNormal, "bernoulli": Bernoulli}
WHITE = 128
"""Grey level from which on a pixel counts as 1 under a Bernoulli likelihood."""
FIRST_SCALE = 32.0
"""Grey levels; where a learnt scale starts: about the error of a blurred reconstruction."""


@keras.saving.register_keras_serializable(package="vqzoo")
class VAE(Autoencoder):
    """Autoencoder with one Gaussian vector an image; stage 1 of a zoo model.

    [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114), as the baseline in Table 1
    of Kumar, Deleu and Racah, Reproducing Neural Discrete Representation Learning (2019): encoder
    and decoder are those of the `VQVAE`. The paper does not say what shape its latents have. Here
    an image has one vector, a dense projection of the whole feature map: under a prior whose
    numbers are all independent, a map of vectors would be sampled patch by patch, each without
    regard to its neighbours.

    It is called on uint8 images `(batch, height, width, channels)`, returns the parameters of the
    likelihood in that shape, float32, and is trained by plain `compile` and `fit` on images:

    ```python
    model = VAE(image_shape=(28, 28, 1), latent_dim=32)
    model.compile("adam")
    model.fit(images, epochs=1)        # uint8 (60000, 28, 28, 1)
    means, = model.encode(images[:8])  # float32 (8, 32)
    ```

    The loss is the negative ELBO (Equation 3 of arXiv:1312.6114) in nats per image, a mean over
    the batch: -log p(x | z) with one draw of z, plus the analytic divergence of q(z | x) from the
    standard normal, which is logged as `kl`. Outside of training z is the mean of q(z | x). `mse`
    is logged beside them, of decoded pixels on the scale -1..1.

    Args:
        image_shape: three ints, height, width and channels; both sides divisible by 4. Images of
            other sizes do not fit.
        latent_dim: int, size of an image's vector.
        likelihood: `"discretized_normal"`, over grey levels, with one standard deviation that is
            learnt; or `"bernoulli"`, over pixels that are 1 from grey level 128 on, else 0.
        embedding_dim: int, channels of the feature maps at both ends of the dense projections.
        filters: int, width of encoder and decoder.
        residual_filters: int, inner width of their residual blocks.
        num_residual_blocks: int, how many of them in each.
        seed: int or None, as for `vqzoo.layers.GaussianBottleneck`.
        name: str.

    Raises:
        ValueError: if `image_shape` is no such triple, a side is not divisible by 4, or
            `likelihood` is none of these, or another argument is out of its range.
    """

    stride, fits_scale = None, False

    def __init__(
        self,
        image_shape,
        latent_dim=32,
        likelihood="discretized_normal",
        embedding_dim=64,
        filters=128,
        residual_filters=128,
        num_residual_blocks=2,
        seed=None,
        name="vae",
    ):
        height, width, channels = checked_image_shape(image_shape, STRIDE)
        checked_choice(likelihood, "likelihood", LIKELIHOODS)
        sizes = {
            "embedding_dim": embedding_dim,
            "filters": filters,
            "residual_filters": residual_filters,
            "num_residual_blocks": num_residual_blocks,
        }
        grid = (height // STRIDE, width // STRIDE, embedding_dim)
        encoder, decoder = Encoder(channels, **sizes), Decoder(channels, **sizes)
        flatten = keras.layers.Flatten(name="flatten")
        bottleneck = GaussianBottleneck(latent_dim, seed=seed, name="bottleneck")
        expand = keras.layers.Dense(math.prod(grid), activation="relu", name="expand")
        reshape = keras.layers.Reshape(grid, name="reshape")
        images = keras.Input((height, width, channels), dtype="uint8", name="images")
        vectors = bottleneck(flatten(encoder(images)))["vectors"]
        super().__init__(images, decoder(reshape(expand(vectors))), name=name)
        self.encoder, self.flatten, self.bottleneck = encoder, flatten, bottleneck
        self.expand, self.reshape, self.decoder = expand, reshape, decoder
        self.image_shape = (height, width, channels)
        self.latent_shapes, self.codebook_sizes = [(bottleneck.latent_dim,)], [None]
        self.likelihood, self.log_scale = LIKELIHOODS[likelihood](), None
        if likelihood == "discretized_normal":
            start = keras.initializers.Constant(math.log(FIRST_SCALE))
            self.log_scale = self.add_weight((), start, name="log_scale", dtype="float32")
        self.kl = keras.metrics.Mean(name="kl")
        self._arguments = {"image_shape": list(image_shape), "latent_dim": bottleneck.latent_dim}
        self._arguments |= {"likelihood": likelihood, **sizes}
        self._arguments |= {"seed": bottleneck.seed, "name": name}

    @property
    def exact_weights(self):
        """The scale of the likelihood, if it has one."""
        return [] if self.log_scale is None else [self.log_scale]

    @property
    def likelihood_scale(self):
        """The learnt standard deviation in grey levels, float32 scalar; None for Bernoulli."""
        return None if self.log_scale is None else ops.exp(self.log_scale)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Negative ELBO in nats per image, of which the bottleneck has added the divergence."""
        batch_size = ops.shape(x)[0]
        self.kl.update_state(sum(self.losses), sample_weight=batch_size)
        divergence = super().compute_loss(x, None, y_pred, None, training)
        # Keras adds up what the replicas return, and has divided what was added to the losses.
        return divergence - ops.mean(self.log_likelihood(x, y_pred)) / num_replicas()

    def encode(self, images):
        """Means of q(z | x): a list of one float32 tensor `(batch, latent_dim)`."""
        return [self._distribution(images)["mean"]]

    def _distribution(self, images):
        return self.bottleneck(self.flatten(self.encoder(images)))

    @functools.cached_property
    def _posterior_model(self):
        images = keras.Input(self.image_shape, dtype="uint8", name="images")
        outputs = self._distribution(images)
        return keras.Model(images, [outputs["mean"], outputs["log_variance"]])

    def posterior(self, images, seed, indices):
        """Means, seeded draws and their log-density; as for every `Autoencoder`."""
        mean, log_variance = self._posterior_model.predict_on_batch(images)
        noise = normal_noise(image_keys(seed, indices, POSTERIOR_STREAM), 0, mean.shape[-1])
        noise = ops.convert_to_numpy(noise)
        draws = mean + ops.convert_to_numpy(ops.exp(0.5 * log_variance)) * noise
        log_prob = -0.5 * (noise**2 + log_variance + math.log(2 * math.pi)).sum(axis=-1)
        return [mean], [draws], log_prob

    def decoder_output(self, latents):
        """Means on -1..1 or logits given the list `latents`: float32, shaped like the images."""
        return self.decoder(self.reshape(self.expand(latents[0])))

    def to_pixels(self, decoder_output):
        """Pixels on -1..1: the normal's median, or where on that scale the Bernoulli's mean lies.

        Means far below black are as likely as they are black, so they are clipped.
        """
        if self.log_scale is None:
            return 2.0 * self.likelihood.mean(decoder_output) - 1.0
        return ops.clip(decoder_output, -1.0, 1.0)

    def log_likelihood(self, images, decoder_output):
        """log p(x | z) in nats, float32 `(batch,)`; of binarised images if it is a Bernoulli's."""
        if self.log_scale is None:
            nats = self.likelihood.log_prob(images >= WHITE, decoder_output)
        else:
            mean = to_grey_levels(decoder_output)
            nats = self.likelihood.log_prob(images, mean, self.likelihood_scale)
        return ops.sum(nats, axis=(1, 2, 3))

    def _tokenizer_weights(self):
        return [*self.encoder.weights, *self.bottleneck.weights]
