"""Discrete VAE: one map of codes under a posterior of one's choice."""

import functools

import keras
from keras import ops

from vqzoo.checks import checked_choice, checked_number
from vqzoo.layers.gumbel_softmax_latent import GumbelSoftmaxLatent
from vqzoo.layers.latent_logits import DistanceLogits, FeatureLogits
from vqzoo.layers.temperature import AnnealTemperature
from vqzoo.layers.vector_quantizer import VectorQuantizer
from vqzoo.likelihoods.dequantized_normal import DequantizedNormal
from vqzoo.models.autoencoder import checked_image_shape
from vqzoo.models.quantized_autoencoder import QuantizedAutoencoder
from vqzoo.networks.decoder import Decoder
from vqzoo.networks.encoder import Encoder
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import POSTERIOR_STREAM, gumbel_noise, image_keys

STRIDE = 4  # two strided convolutions

POSTERIORS = {
    "quantized": VectorQuantizer,
    "distance": functools.partial(GumbelSoftmaxLatent, logits=DistanceLogits()),
    "categorical": functools.partial(GumbelSoftmaxLatent, logits=FeatureLogits()),
}
"""Layers by the name of the posterior: another one needs nothing but a line here."""

FIRST_SCALE = 32.0
"""Grey levels; where a learnt scale starts: about the error of a blurred reconstruction."""


@keras.saving.register_keras_serializable(package="vqzoo")
class DiscreteVAE(QuantizedAutoencoder):
    """Autoencoder with one map of codes and any posterior over them; stage 1 of a zoo model.

    Section 3 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020), whose six
    variants are choices of a posterior, of a prior and of how the two are trained. Trained by
    itself, by plain `compile` and `fit` on uint8 images, it is their "marginal" model, that no
    prior has a part in; `vqzoo.models.joint_training.JointTraining` trains it with a prior.

    ```python
    model = DiscreteVAE(image_shape=(28, 28, 1), posterior="categorical")
    model.compile("adam")
    model.fit(images, epochs=10, callbacks=model.training_callbacks())   # uint8 (60000, 28, 28, 1)
    codes, = model.encode(images[:8])                                    # int32 (8, 7, 7)
    ```

    The loss is the mean squared error of decoded pixels on the scale -1..1, of one sample of the
    posterior: up to constants the negative of E_q log p(x | z) for any fixed scale of the normal
    p(x | z). The quantized posterior adds the losses of its `vqzoo.layers.VectorQuantizer`.
    `fit` logs `mse`, `perplexity` and `usage` of the codes, and what belongs to the posterior:
    `commitment`, or `largest_weight`, how close to one-hot the samples are.

    Args:
        image_shape: three ints, height, width and channels; both sides divisible by 4.
        posterior: q(z | x) at each position. `"quantized"`: the nearest code (Equation 4);
            `"distance"`: softmax of minus the distances to the codes (Equation 5); `"categorical"`:
            softmax of the encoder's output (Equation 6). The last two draw in training, by
            `vqzoo.layers.GumbelSoftmaxLatent`; `encode` gives their most probable codes.
        num_embeddings: int, number of codes K.
        embedding_dim: int, dimension D of a code's vector.
        filters: int, width of encoder and decoder.
        residual_filters: int, inner width of their residual blocks.
        num_residual_blocks: int, how many of them in each.
        scale: float, standard deviation of p(x | z) in grey levels; None: learnt in joint training,
            and fitted on training images when training is over.
        seed: int or None, as for the posterior's layer.
        name: str.

    Raises:
        ValueError: if `image_shape` is no such triple, a side is not divisible by 4, `posterior` is
            none of these, or another argument is out of its range.
    """

    stride, likelihood_class = STRIDE, DequantizedNormal
    trains_with_prior = True

    def __init__(
        self,
        image_shape,
        posterior="quantized",
        num_embeddings=256,
        embedding_dim=64,
        filters=128,
        residual_filters=128,
        num_residual_blocks=4,
        scale=None,
        seed=None,
        name="discrete_vae",
    ):
        height, width, channels = checked_image_shape(image_shape, STRIDE)
        checked_choice(posterior, "posterior", POSTERIORS)
        sizes = {
            "filters": filters,
            "residual_filters": residual_filters,
            "num_residual_blocks": num_residual_blocks,
        }
        bottleneck = POSTERIORS[posterior](
            num_embeddings, embedding_dim, seed=seed, name="bottleneck"
        )
        encoder = Encoder(channels, bottleneck.feature_channels, **sizes)
        decoder = Decoder(channels, embedding_dim, **sizes)
        images = keras.Input((None, None, channels), dtype="uint8", name="images")
        super().__init__(images, decoder(bottleneck(encoder(images))["vectors"]), name=name)
        self.encoder, self.bottleneck, self.decoder = encoder, bottleneck, decoder
        self.image_shape = (height, width, channels)
        self.latent_shapes = [(height // STRIDE, width // STRIDE)]
        self.codebook_sizes = [num_embeddings]
        self.fits_scale = scale is None
        self.first_scale = FIRST_SCALE if scale is None else checked_scale(scale)
        self.add_watched_parts()
        self._arguments = {"image_shape": list(image_shape), "posterior": posterior}
        self._arguments |= {"num_embeddings": num_embeddings, "embedding_dim": embedding_dim}
        self._arguments |= {**sizes, "scale": scale, "seed": seed, "name": name}
        self._draw = compiled(_hard_draws, bottleneck, jit=False)

    @property
    def quantizers(self):
        """The one bottleneck, in a list."""
        return [self.bottleneck]

    def training_callbacks(self, steps=None):
        """Keras callbacks that `fit` needs: for a posterior that draws, its temperature's.

        Args:
            steps: int, steps of the whole training; None for those of one `fit`.
        """
        return [AnnealTemperature(self.bottleneck, steps=steps)] if self.stochastic else []

    def encode(self, images):
        """Most probable codes of uint8 `images`: a list of one int32 `(batch, h / 4, w / 4)`."""
        return [self.bottleneck(self.encoder(images))["codes"]]

    @functools.cached_property
    def _posterior_model(self):
        images = keras.Input(self.inputs[0].shape[1:], dtype="uint8", name="images")
        return keras.Model(images, self.bottleneck.log_probs(self.encoder(images)))

    def posterior(self, images, seed, indices):
        """Most probable codes, seeded hard draws and log q of these; as for every `Autoencoder`."""
        if not self.stochastic:
            return super().posterior(images, seed, indices)
        log_probs = self._posterior_model.predict_on_batch(images)
        keys = image_keys(seed, indices, POSTERIOR_STREAM)
        codes, draws, log_q = map(ops.convert_to_numpy, self._draw(log_probs, keys))
        return [codes], [draws], log_q

    def decoder_output(self, codes):
        """Means on the scale -1..1 given the list `codes`: float32, shaped like the images."""
        return self.decoder(self.bottleneck.codes_to_vectors(codes[0]))

    def _tokenizer_weights(self):
        return [*self.encoder.weights, self.bottleneck.codebook]


def checked_scale(scale):
    """The scale of a likelihood, a number of grey levels above 0, or a ValueError."""
    right = "above 0 and finite, in grey levels, or None"
    return checked_number(scale, "scale", right, lambda value: 0 < value < float("inf"))


def _hard_draws(log_probs, keys):
    """Most probable codes, codes drawn by Gumbel-max, and their log-probability in nats."""
    _, height, width, size = ops.shape(log_probs)
    noise = gumbel_noise(keys, ops.arange(height * width, dtype="int32"), size)
    noise = ops.transpose(ops.reshape(noise, (height, width, -1, size)), (2, 0, 1, 3))
    draws = ops.cast(ops.argmax(log_probs + noise, axis=-1), "int32")
    chosen = ops.take_along_axis(log_probs, draws[..., None], axis=-1)
    codes = ops.cast(ops.argmax(log_probs, axis=-1), "int32")
    return codes, draws, ops.sum(chosen, axis=(1, 2, 3))
