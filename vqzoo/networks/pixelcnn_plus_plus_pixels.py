"""PixelCNN++ over pixels: what it was made for."""

import keras
from keras import ops

from vqzoo.checks import check_ints
from vqzoo.layers.map_checks import check_map
from vqzoo.networks.shifted_network import ShiftedNetwork


@keras.saving.register_keras_serializable(package="vqzoo")
class PixelCNNPlusPlusPixels(ShiftedNetwork):
    """Parameters of each pixel's distribution given the pixels before it in raster order.

    The network of [PixelCNN++](https://arxiv.org/abs/1701.05517), see `ShiftedNetwork`, whose
    defaults are those of the paper's CIFAR-10 model but for the dropout of a half. A channel of
    ones beside those of the image marks what is no padding. No weight normalisation, see
    `ShiftedResidualBlock`.

    Args:
        image_channels: int, values of a pixel.
        num_outputs: int, parameters of a pixel, such as a likelihood's `num_parameters`.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks.
        num_blocks: int, residual blocks of a resolution, once down and once up.
        num_downsamplings: int, 0 to 2, how often the resolution is halved.
        dropout: float in [0, 1), see `ShiftedResidualBlock`.
        condition_channels: int or `None`, channels of a feature map to condition on.
        name: str.

    Call arguments:
        images: float tensor `(batch, height, width, image_channels)` on the scale -1..1, or one of
            integers 0..255, which are brought to that scale.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is.

    Returns:
        float32 `(batch, height, width, num_outputs)`.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        image_channels,
        num_outputs,
        num_classes=None,
        filters=160,
        num_blocks=5,
        num_downsamplings=2,
        dropout=0.0,
        condition_channels=None,
        name="pixelcnn_plus_plus_pixels",
        **kwargs,
    ):
        sizes = num_classes, filters, num_blocks, num_downsamplings, dropout, condition_channels
        super().__init__(*sizes, name=name, **kwargs)
        check_ints(image_channels=image_channels, num_outputs=num_outputs)
        self.image_channels, self.num_outputs = image_channels, num_outputs
        self._make_layers(image_channels + 1, num_outputs, "parameters")

    def call(self, images, condition=None, training=None):
        """Parameters of every position at once."""
        images = ops.convert_to_tensor(images)
        if keras.backend.is_int_dtype(keras.backend.standardize_dtype(images.dtype)):
            images = _rescaled(images)
        check_map(images, self.image_channels, "images")
        images = ops.cast(images, self.compute_dtype)
        marked = ops.concatenate([images, ops.ones_like(images[..., :1])], axis=-1)
        return self._outputs(marked, condition, training)

    def _vectors(self, pixels):
        marked = ops.concatenate([_rescaled(pixels), ops.ones(ops.shape(pixels[..., :1]))], axis=-1)
        return ops.where(pixels[..., :1] >= 0, marked, 0.0)

    def get_config(self):
        """Constructor arguments."""
        sizes = {"image_channels": self.image_channels, "num_outputs": self.num_outputs}
        return {**super().get_config(), **sizes}


def _rescaled(pixels):
    """Integers 0..255 as float32 on -1..1."""
    return ops.cast(pixels, "float32") / 127.5 - 1.0
