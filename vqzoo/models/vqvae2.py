"""VQ-VAE-2: a hierarchy of code maps, each level conditioned on the coarser ones."""

import keras
from keras import ops

from vqzoo.checks import check_ints, checked_seed
from vqzoo.layers.vector_quantizer_ema import VectorQuantizerEMA
from vqzoo.models.autoencoder import checked_image_shape
from vqzoo.models.quantized_autoencoder import QuantizedAutoencoder
from vqzoo.networks.decoder import Decoder
from vqzoo.networks.downsampler import Downsampler, strided_names

SIZES = ("filters", "residual_filters", "num_residual_blocks")
CODES = ("num_embeddings", "embedding_dim", "commitment_cost", "decay")
CODES += ("codebook_init", "restart_threshold")
"""Arguments that are handed on to the convolutional networks and to the quantizers."""


@keras.saving.register_keras_serializable(package="vqzoo")
class VQVAE2(QuantizedAutoencoder):
    """Autoencoder with several maps of discrete codes, coarse to fine; stage 1 of a zoo model.

    Section 3.1 and Algorithm 1 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446). Encoders halve the
    finest features again and again. The coarsest level is quantized first; what the coarser levels
    hold is decoded to the resolution of the next one and joined with its features before they are
    quantized, so that a level need not repeat what is known already. The decoder takes all
    levels. With features h, quantized vectors e and levels 0 (top) to L - 1 (bottom)

    ```
    J_0 = e_0                    J_l = [up(J_{l-1}), e_l]              joined, coarse to fine
    e_0 = quantize(W h_0)        e_l = quantize(W [decode(J_{l-1}), h_l])
    ```

    where `up` is a transposed convolution, W a 1x1 convolution, and the image is decoded from
    J_{L-1}. It is called on uint8 images `(batch, height, width, channels)` and gives float32
    means of the same shape on the scale -1..1. Loss and what `fit` logs are those of `VQVAE`, the
    commitment summed over levels, `perplexity_0`, `usage_0`, ... for each level.

    ```python
    model = VQVAE2(image_shape=(256, 256, 3))
    model.compile("adam")
    model.fit(images)                          # uint8 (100, 256, 256, 3)
    top, bottom = model.encode(images[:8])     # int32 (8, 32, 32) and (8, 64, 64)
    ```

    Args:
        image_shape: three ints, height, width and channels; both sides divisible by `stride`. The
            network itself is convolutional and takes any such size.
        num_levels: int, levels of codes, each half as high and wide as the next.
        bottom_stride: int, 2, 4 or 8, pixels to a side of the finest level's codes.
        num_embeddings: int, number of codes K of each level.
        embedding_dim: int, dimension D of a code's vector.
        filters: int, width of encoders and decoders ("hidden units" in Table 5).
        residual_filters: int, inner width of their residual blocks ("residual units").
        num_residual_blocks: int, how many of them in each ("layers").
        commitment_cost, decay, codebook_init, restart_threshold: as for
            `vqzoo.layers.VectorQuantizerEMA`.
        seed: int or None, of the coarsest codebook; each finer one takes the next number.
        name: str.

    Raises:
        ValueError: if `image_shape` is no such triple, a side is not divisible by the stride, or
            `bottom_stride` is another number.
    """

    def __init__(
        self,
        image_shape,
        num_levels=2,
        bottom_stride=4,
        num_embeddings=512,
        embedding_dim=64,
        filters=128,
        residual_filters=64,
        num_residual_blocks=2,
        commitment_cost=0.25,
        decay=0.99,
        codebook_init="uniform",
        restart_threshold=None,
        seed=None,
        name="vqvae2",
    ):
        arguments = dict(locals())  # while no other name is bound
        del arguments["self"], arguments["__class__"]  # which `super()` put there
        check_ints(num_levels=num_levels, embedding_dim=embedding_dim)
        check_ints(2, filters=filters)
        strided_names(bottom_stride, "bottom_stride")
        stride = bottom_stride * 2 ** (num_levels - 1)
        height, width, channels = checked_image_shape(image_shape, stride)
        sizes = {key: arguments[key] for key in SIZES}
        parts = _make_parts(channels, num_levels, bottom_stride, embedding_dim, sizes)
        codes = {key: arguments[key] for key in CODES}
        parts["quantizers"] = _make_quantizers(num_levels, seed, codes)
        images = keras.Input((None, None, channels), dtype="uint8", name="images")
        vectors = [found["vectors"] for found in _quantize(parts, images)]
        super().__init__(images, _decode(parts, vectors), name=name)
        self.parts = parts
        self.stride = stride
        self.image_shape = (height, width, channels)
        strides = [stride // 2**level for level in range(num_levels)]
        self.latent_shapes = [(height // side, width // side) for side in strides]
        self.codebook_sizes = [num_embeddings] * num_levels
        self.add_watched_parts()
        self._arguments = {**arguments, "image_shape": list(image_shape)}

    @property
    def quantizers(self):
        """List of the quantizers, coarse to fine."""
        return self.parts["quantizers"]

    def encode(self, images):
        """Codes of uint8 `images`: a list of int32 maps `(batch, h, w)`, coarse to fine."""
        return [found["codes"] for found in _quantize(self.parts, images)]

    def decoder_output(self, codes):
        """Means on the scale -1..1 given the list `codes`: float32, shaped like the images."""
        levels = zip(self.quantizers, codes, strict=True)
        return _decode(self.parts, [layer.codes_to_vectors(level) for layer, level in levels])

    def _tokenizer_weights(self):
        # The last `up` is the decoder's alone.
        encoding = [*self.parts["encoders"], *self.parts["projections"]]
        encoding += [*self.parts["inner_decoders"], *self.parts["ups"][:-1]]
        weights = [weight for part in encoding for weight in part.weights]
        return weights + [quantizer.codebook for quantizer in self.quantizers]


def _make_quantizers(num_levels, seed, arguments):
    """The quantizers, coarse to fine, each with a seed of its own."""
    if seed is None:
        seeds = [None] * num_levels
    else:
        seeds = [(checked_seed(seed) + level) % 2**32 for level in range(num_levels)]
    return [
        VectorQuantizerEMA(**arguments, seed=own, name=f"quantizer_{level}")
        for level, own in enumerate(seeds)
    ]


def _make_parts(channels, num_levels, bottom_stride, embedding_dim, sizes):
    """The layers between pixels and quantizers, as a dict of lists, coarse to fine."""
    # float32 whatever the policy: in bfloat16 two grey levels become one
    rescale = keras.layers.Rescaling(1 / 127.5, offset=-1, dtype="float32", name="rescale")
    encoders = [
        Downsampler(sizes["filters"], 2, **sizes, name=f"encoder_{level}")
        for level in range(num_levels - 1)
    ]
    bottom = Downsampler(channels, bottom_stride, **sizes, name=f"encoder_{num_levels - 1}")
    widths = [embedding_dim * (level + 1) for level in range(num_levels)]  # of the joined levels
    return {
        "rescale": rescale,
        "encoders": [*encoders, bottom],
        "projections": [
            keras.layers.Conv2D(embedding_dim, 1, name=f"project_{level}")
            for level in range(num_levels)
        ],
        "inner_decoders": [
            Decoder(embedding_dim, width, **sizes, stride=2, name=f"decoder_{level}")
            for level, width in enumerate(widths[:-1])
        ],
        "ups": [
            keras.layers.Conv2DTranspose(width, 4, 2, "same", name=f"up_{level}")
            for level, width in enumerate(widths[:-1])
        ],
        "decoder": Decoder(channels, widths[-1], **sizes, stride=bottom_stride),
    }


def _quantize(parts, images):
    """What each quantizer gives for uint8 `images`, a list of dicts, coarse to fine."""
    features = [parts["rescale"](images)]
    for encoder in reversed(parts["encoders"]):  # fine to coarse
        features.append(encoder(features[-1]))
    found, joined = [], None
    for level, quantizer in enumerate(parts["quantizers"]):
        own = features[-1 - level]
        if level:
            known = parts["inner_decoders"][level - 1](joined)
            own = ops.concatenate([ops.cast(known, own.dtype), own], axis=-1)
        found.append(quantizer(parts["projections"][level](own)))
        joined = _join(parts, joined, found[-1]["vectors"])
    return found


def _join(parts, joined, vectors):
    """The coarser levels, `joined`, at the resolution of a level's `vectors`, and these."""
    if joined is None:
        return vectors
    level = joined.shape[-1] // vectors.shape[-1] - 1
    joined = parts["ups"][level](joined)
    return ops.concatenate([joined, ops.cast(vectors, joined.dtype)], axis=-1)


def _decode(parts, levels):
    """Means on the scale -1..1 given the vectors of each level, coarse to fine."""
    joined = None
    for vectors in levels:
        joined = _join(parts, joined, vectors)
    return parts["decoder"](joined)
