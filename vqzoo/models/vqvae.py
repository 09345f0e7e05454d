"""VQ-VAE: convolutional encoder, nearest code, convolutional decoder, normal likelihood."""

import keras

from vqzoo.layers.vector_quantizer import VectorQuantizer
from vqzoo.layers.vector_quantizer_ema import VectorQuantizerEMA
from vqzoo.models.autoencoder import checked_image_shape
from vqzoo.models.quantized_autoencoder import QuantizedAutoencoder
from vqzoo.networks.decoder import Decoder
from vqzoo.networks.encoder import Encoder

STRIDE = 4  # two strided convolutions
EMA_ONLY = {"decay": 0.99, "codebook_init": "uniform", "restart_threshold": None}
"""Arguments that mean something to a codebook of moving averages only, and their defaults."""


@keras.saving.register_keras_serializable(package="vqzoo")
class VQVAE(QuantizedAutoencoder):
    """Autoencoder with one map of discrete codes; stage 1 of a zoo model.

    [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937), by default with a
    codebook that follows its vectors by moving averages (Section 2.1 of arXiv:1906.00446). It is
    called on uint8 images `(batch, height, width, channels)`, returns float32 means of the same
    shape on the scale -1..1, and is trained by plain `compile` and `fit` on images:

    ```python
    model = VQVAE(image_shape=(28, 28, 1), num_embeddings=512, embedding_dim=64)
    model.compile("adam")
    model.fit(images, epochs=1)       # uint8 (60000, 28, 28, 1)
    codes, = model.encode(images[:8])   # int32 (8, 7, 7)
    ```

    The loss is the mean squared error on the scale -1..1, a mean over all values, plus
    `commitment_cost` times the mean squared distance of the encoder's vectors to their codes; a
    codebook trained by its loss adds that distance once more, for the codes alone. `fit` and
    `evaluate` log the error as `mse`, the distance as `commitment`, and of the codes of all batches
    `perplexity` and `usage`.

    Args:
        image_shape: three ints, height, width and channels; both sides divisible by 4. The
            network itself is convolutional and takes any such size.
        num_embeddings: int, number of codes K.
        embedding_dim: int, dimension D of a code's vector.
        filters: int, width of encoder and decoder.
        residual_filters: int, inner width of their residual blocks.
        num_residual_blocks: int, how many of them in each.
        commitment_cost, decay, codebook_init, restart_threshold, seed: as for
            `vqzoo.layers.VectorQuantizerEMA`.
        codebook: how the codes are trained. `"ema"`: by `vqzoo.layers.VectorQuantizerEMA`.
            `"loss"`: by the gradients of `vqzoo.layers.VectorQuantizer`, Equation 3 of the paper.
            `"frozen"`: not at all. The last two know no `decay` and no `restart_threshold`, and
            start at U(-1/K, 1/K).
        batch_norm: bool, whether encoder and decoder have batch normalisation.
        name: str.

    Raises:
        ValueError: if `image_shape` is no such triple, a side is not divisible by 4, `codebook` is
            none of these, or an argument is given that this `codebook` does not know.
    """

    stride = STRIDE

    def __init__(
        self,
        image_shape,
        num_embeddings=512,
        embedding_dim=64,
        filters=128,
        residual_filters=128,
        num_residual_blocks=2,
        commitment_cost=0.25,
        decay=0.99,
        codebook_init="uniform",
        restart_threshold=None,
        seed=None,
        codebook="ema",
        batch_norm=False,
        name="vqvae",
    ):
        height, width, channels = checked_image_shape(image_shape, STRIDE)
        sizes = {
            "filters": filters,
            "residual_filters": residual_filters,
            "num_residual_blocks": num_residual_blocks,
        }
        options = {
            "commitment_cost": commitment_cost,
            "decay": decay,
            "codebook_init": codebook_init,
            "restart_threshold": restart_threshold,
            "seed": seed,
        }
        # Left out at their defaults: the hash of a tokenizer covers the arguments that it was
        # given before there were these.
        later = {"codebook": codebook} if codebook != "ema" else {}
        later |= {"batch_norm": batch_norm} if batch_norm else {}
        encoder = Encoder(channels, embedding_dim, **sizes, batch_norm=batch_norm)
        quantizer = make_quantizer(codebook, num_embeddings, embedding_dim, options)
        decoder = Decoder(channels, embedding_dim, **sizes, batch_norm=batch_norm)
        images = keras.Input((None, None, channels), dtype="uint8", name="images")
        super().__init__(images, decoder(quantizer(encoder(images))["vectors"]), name=name)
        self.encoder, self.quantizer, self.decoder = encoder, quantizer, decoder
        self.image_shape = (height, width, channels)
        self.latent_shapes = [(height // STRIDE, width // STRIDE)]
        self.codebook_sizes = [num_embeddings]
        self.add_watched_parts()
        self._arguments = {"image_shape": list(image_shape), "num_embeddings": num_embeddings}
        self._arguments |= {"embedding_dim": embedding_dim, **sizes, **options, **later}
        self._arguments["name"] = name

    @property
    def quantizers(self):
        """The one quantizer, in a list."""
        return [self.quantizer]

    def encode(self, images):
        """Codes of uint8 `images`: a list of one int32 tensor `(batch, height / 4, width / 4)`."""
        return [self.quantizer(self.encoder(images))["codes"]]

    def decoder_output(self, codes):
        """Means on the scale -1..1 given the list `codes`: float32, shaped like the images."""
        return self.decoder(self.quantizer.codes_to_vectors(codes[0]))

    def _tokenizer_weights(self):
        return [*self.encoder.weights, self.quantizer.codebook]


def make_quantizer(codebook, num_embeddings, embedding_dim, options):
    """The quantizer of a `VQVAE`, an untrained layer.

    Args:
        codebook: str, "ema", "loss" or "frozen", as for `VQVAE`.
        num_embeddings, embedding_dim: ints, size of the codebook.
        options: dict, the further arguments of `VectorQuantizerEMA` that `VQVAE` has.

    Raises:
        ValueError: if `codebook` is another word, or does not know one of the options.
    """
    sizes = {"num_embeddings": num_embeddings, "embedding_dim": embedding_dim}
    if codebook == "ema":
        return VectorQuantizerEMA(**sizes, **options, name="quantizer")
    if codebook not in ("loss", "frozen"):
        raise ValueError(f'`codebook` must be "ema", "loss" or "frozen". Received: {codebook!r}')
    for name, default in EMA_ONLY.items():
        if options[name] != default:
            raise ValueError(
                f'`{name}` must be left at {default!r} unless `codebook` is "ema". '
                f"Received: {options[name]!r} with {codebook=}"
            )
    shared = {name: value for name, value in options.items() if name not in EMA_ONLY}
    trained = codebook == "loss"
    return VectorQuantizer(**sizes, **shared, trainable_codebook=trained, name="quantizer")
