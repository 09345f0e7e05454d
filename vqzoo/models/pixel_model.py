"""Pixel model: a causal network over the pixels themselves, without latents."""

import math

import keras
import numpy as np
from keras import ops

from vqzoo.layers.replicas import num_replicas
from vqzoo.likelihoods.discretized_logistic_mixture import DiscretizedLogisticMixture
from vqzoo.models.autoencoder import Autoencoder, checked_image_shape
from vqzoo.networks.pixelcnn_plus_plus_pixels import PixelCNNPlusPlusPixels
from vqzoo.priors.checks import check_draw
from vqzoo.sampling.batches import padded_batches
from vqzoo.sampling.draws import PixelDraws
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.options import SamplingOptions
from vqzoo.sampling.sampler import Sampler, draw_map


@keras.saving.register_keras_serializable(package="vqzoo")
class PixelModel(Autoencoder):
    """p(x) as a product over pixels in raster order: an autoencoder with nothing in its middle.

    [PixelCNN++](https://arxiv.org/abs/1701.05517), the baseline of arXiv:1711.11479: a mixture of
    discretised logistics for each pixel, given those before it. It has no latents, so that it
    neither encodes nor decodes; `NoPrior` stands beside it, and its likelihood is exact.

    It is called on uint8 images `(batch, height, width, channels)`, returns the parameters of the
    likelihood, float32 `(batch, height, width, likelihood.num_parameters)`, and is trained by plain
    `compile` and `fit` on images. The loss is the negative log-likelihood in nats per image, a mean
    over the batch; `bits_per_dim` is logged beside it.

    Args:
        image_shape: three ints, height, width and channels. Images of other sizes do not fit.
        filters, num_blocks, num_downsamplings, dropout: as for
            `vqzoo.networks.PixelCNNPlusPlusPixels`.
        num_components: int, components of the mixture.
        name: str.

    Raises:
        ValueError: if `image_shape` is no such triple, or another argument is out of its range.
    """

    stride, likelihood_scale, fits_scale, exact_weights, stochastic = None, None, False, (), False

    def __init__(
        self,
        image_shape,
        filters=160,
        num_blocks=5,
        num_downsamplings=2,
        dropout=0.5,
        num_components=10,
        name="pixel_model",
    ):
        shape = checked_image_shape(image_shape, 1)
        likelihood = DiscretizedLogisticMixture(num_components, shape[-1])
        sizes = {
            "filters": filters,
            "num_blocks": num_blocks,
            "num_downsamplings": num_downsamplings,
            "dropout": dropout,
        }
        network = PixelCNNPlusPlusPixels(shape[-1], likelihood.num_parameters, **sizes)
        images = keras.Input(shape, dtype="uint8", name="images")
        super().__init__(images, network(images), name=name)
        self.network, self.likelihood, self.image_shape = network, likelihood, shape
        self.latent_shapes, self.codebook_sizes = [], []
        self.bits_per_dim = keras.metrics.Mean(name="bits_per_dim")
        self._sampler = Sampler(network, likelihood)
        self._arguments = {"image_shape": list(image_shape), **sizes}
        self._arguments |= {"num_components": num_components, "name": name}

    def compile(self, optimizer="adam", metrics=None, **kwargs):
        """As for every `Autoencoder`, without metrics: no pixels are decoded to be compared."""
        super().compile(optimizer=optimizer, metrics=metrics or (), **kwargs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Negative log-likelihood in nats per image."""
        nats = -ops.mean(self.log_likelihood(x, y_pred))
        bits = nats / (math.log(2) * math.prod(self.image_shape))
        self.bits_per_dim.update_state(bits, sample_weight=ops.shape(x)[0])
        return nats / num_replicas()  # Keras adds up what the replicas return

    def log_likelihood(self, images, decoder_output):
        """log p(x) in nats, float32 `(batch,)`, of uint8 `images` and the parameters for them."""
        return ops.sum(self.likelihood.log_prob(images, decoder_output), axis=(1, 2))

    def image_log_prob(self, images, latents):
        """log p(x) in nats, float32 array `(batch,)`; `latents` is an empty list."""
        return ops.convert_to_numpy(self.log_likelihood(images, self.predict_on_batch(images)))

    def posterior(self, images, seed, indices):
        """No latents and no draws, of probability 1; as for every `Autoencoder`."""
        return [], [], np.zeros(len(images), "float32")

    def sample(self, num_images, seed=0, known=None, batch_size=64, options=SamplingOptions()):
        """Draws images. Each depends on the seed and its index, not on its batch.

        Args:
            num_images: int.
            seed: int in `[0, 2**64)`.
            known: None, or a pair: uint8 images `(num_images, height, width, channels)` and a mask,
                bool `(num_images, height, width)`, true where a pixel is to be drawn. The other
                pixels stay.
            batch_size: int, the most images at a time.
            options: `SamplingOptions`, of which only `incremental` is for pixels.

        Returns:
            uint8 array `(num_images, height, width, channels)`.

        Raises:
            ValueError: if an argument has a wrong type or range, or an option is for codes only.
        """
        check_draw(num_images, seed, options, 0, batch_size)
        if known is None:
            images = np.zeros((num_images, *self.image_shape), "uint8")
            known = images, np.ones(images.shape[:3], bool)
        images, mask = np.array(known[0]), known[1]
        for rows, chosen in padded_batches(num_images, batch_size):
            keys = image_keys(seed, chosen)
            drawn = self._sampler(keys, {}, images[chosen].astype("int32"), mask[chosen], options)
            images[rows] = ops.convert_to_numpy(drawn)[: rows.stop - rows.start]
        return images

    def images_of_seeds(self, seeds):
        """`sample(1, seed)` for every row, as plain operations: what an export holds.

        Args:
            seeds: int tensor `(batch,)`, in `[0, 2**32)`.

        Returns:
            uint8 tensor `(batch, height, width, channels)`.
        """
        keys = image_keys(seeds, ops.zeros_like(seeds))
        shape = (ops.shape(seeds)[0], *self.image_shape)
        pixels, mask = ops.zeros(shape, "int32"), ops.ones(shape[:3], "bool")
        draws = PixelDraws(self.likelihood, SamplingOptions())
        drawn = draw_map(self.network, draws, keys, None, {}, pixels, mask)
        return ops.cast(drawn, "uint8")

    def _tokenizer_weights(self):
        return []
