"""Strided convolutions and residual blocks: a map to one of fewer, wider positions."""

import keras

from vqzoo.checks import check_ints, shown
from vqzoo.layers.batch_normalization import batch_normalization
from vqzoo.layers.residual_block import ResidualBlock

NAMES = {2: ["half"], 4: ["half", "quarter"], 8: ["half", "quarter", "eighth"]}
"""The strides that networks are made for, and the names of their strided convolutions."""


@keras.saving.register_keras_serializable(package="vqzoo")
class Downsampler(keras.Model):
    """Maps a map of features to `filters` channels at a lower resolution.

    The encoders of Section 3.1 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446): as many strided
    4x4 convolutions as halvings, a 3x3 convolution, residual blocks, ReLU. Shapes:
    `(batch, height, width, channels)` to `(batch, height / stride, width / stride, filters)`.

    Args:
        channels: int, channels of the input.
        stride: int, 2, 4 or 8.
        filters: int, width; the first convolution has half of it.
        residual_filters: int, inner width of the residual blocks.
        num_residual_blocks: int, how many of them.
        name: str.

    Raises:
        ValueError: if `stride` is another number.
    """

    def __init__(
        self,
        channels,
        stride,
        filters=128,
        residual_filters=64,
        num_residual_blocks=2,
        name="downsampler",
    ):
        check_ints(channels=channels)
        sizes = {
            "filters": filters,
            "residual_filters": residual_filters,
            "num_residual_blocks": num_residual_blocks,
        }
        features = keras.Input((None, None, channels), name="features")
        super().__init__(features, downsample(features, stride, **sizes), name=name)
        self._arguments = {"channels": channels, "stride": stride, **sizes, "name": name}

    def get_config(self):
        return dict(self._arguments)


def downsample(x, stride, filters, residual_filters, num_residual_blocks, batch_norm=False):
    """The layers of a `Downsampler` after a symbolic tensor `x`; arguments as there.

    With `batch_norm` the first convolution and those of the residual blocks are followed by batch
    normalisation.
    """
    check_ints(0, num_residual_blocks=num_residual_blocks)
    check_ints(2, filters=filters)  # a layer has half of it
    first, *others = strided_names(stride)
    x = keras.layers.Conv2D(filters // 2, 4, 2, "same", name=first)(x)
    x = batch_normalization(f"{first}_norm")(x) if batch_norm else x
    x = keras.layers.ReLU(name=f"{first}_relu")(x)
    for name in others:
        x = keras.layers.Conv2D(filters, 4, 2, "same", activation="relu", name=name)(x)
    # No activation here: the residual blocks begin with one.
    x = keras.layers.Conv2D(filters, 3, padding="same", name="mix")(x)
    for index in range(num_residual_blocks):
        x = ResidualBlock(filters, residual_filters, batch_norm, name=f"residual_{index}")(x)
    return keras.layers.ReLU(name="end")(x)


def strided_names(stride, argument="stride"):
    """Names of the strided convolutions of a network, one for each halving.

    Raises:
        ValueError: if `stride` is not 2, 4 or 8; `argument` is what the message calls it.
    """
    if type(stride) is not int or stride not in NAMES:
        raise ValueError(f"`{argument}` must be 2, 4 or 8. Received: {shown(stride)}")
    return NAMES[stride]
