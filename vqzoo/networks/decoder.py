"""Convolutional decoder: code vectors to the parameters of p(x | z)."""

import keras

from vqzoo.checks import check_ints, checked_bool
from vqzoo.layers.batch_normalization import batch_normalization
from vqzoo.layers.residual_block import ResidualBlock
from vqzoo.networks.downsampler import strided_names


@keras.saving.register_keras_serializable(package="vqzoo")
class Decoder(keras.Model):
    """Maps a map of vectors to a float32 image on the scale -1..1, `stride` times as high and wide.

    The mirror image of `Encoder`, Section 4.1 of
    [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937), and of
    `Downsampler`, whose features it then gives. Shapes:
    `(batch, height, width, embedding_dim)` to `(batch, stride * height, stride * width,
    image_channels)`.

    Args:
        image_channels: int, channels of the output.
        embedding_dim: int, channels of the input.
        filters: int, width; the last hidden map has half of it.
        residual_filters: int, inner width of the residual blocks.
        num_residual_blocks: int, how many of them.
        batch_norm: bool, whether the first of the last two convolutions and those of the residual
            blocks are followed by batch normalisation.
        stride: int, 2, 4 or 8; a transposed convolution for each doubling.
        name: str.
    """

    def __init__(
        self,
        image_channels,
        embedding_dim,
        filters=128,
        residual_filters=128,
        num_residual_blocks=2,
        batch_norm=False,
        stride=4,
        name="decoder",
    ):
        check_ints(image_channels=image_channels, embedding_dim=embedding_dim)
        check_ints(0, num_residual_blocks=num_residual_blocks)
        check_ints(2, filters=filters)  # a layer has half of it
        checked_bool(batch_norm, "batch_norm")
        vectors = keras.Input((None, None, embedding_dim), name="vectors")
        x = keras.layers.Conv2D(filters, 3, padding="same", name="mix")(vectors)
        for index in range(num_residual_blocks):
            x = ResidualBlock(filters, residual_filters, batch_norm, name=f"residual_{index}")(x)
        x = keras.layers.ReLU(name="end")(x)
        upsample = keras.layers.Conv2DTranspose
        *between, _ = strided_names(stride)
        for place in reversed(between):
            width = filters // 2 if place == "half" else filters
            x = upsample(width, 4, 2, "same", name=place)(x)
            x = batch_normalization(f"{place}_norm")(x) if batch_norm else x
            x = keras.layers.ReLU(name=f"{place}_relu")(x)
        # float32 whatever the policy: grey levels need more than the 8 bits of a bfloat16
        output = upsample(image_channels, 4, 2, "same", dtype="float32", name="full")(x)
        super().__init__(vectors, output, name=name)
        self.image_channels, self.embedding_dim = image_channels, embedding_dim
        self.filters, self.residual_filters = filters, residual_filters
        self.num_residual_blocks, self.batch_norm = num_residual_blocks, batch_norm
        self.stride = stride

    def get_config(self):
        arguments = ("image_channels", "embedding_dim", "filters", "residual_filters")
        arguments += ("num_residual_blocks", "batch_norm", "stride", "name")
        return {argument: getattr(self, argument) for argument in arguments}
