"""Convolutional encoder: images to the vectors that a bottleneck quantises."""

import keras

from vqzoo.checks import check_ints, checked_bool
from vqzoo.networks.downsampler import downsample


@keras.saving.register_keras_serializable(package="vqzoo")
class Encoder(keras.Model):
    """Maps uint8 images to a map of vectors, one for each patch of four by four pixels.

    Section 4.1 of [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937):
    two strided 4x4 convolutions, residual blocks at the lowest resolution, a 1x1 convolution to
    the codebook's dimension. Pixels 0..255 become -1..1 in the first layer. Shapes:
    `(batch, height, width, image_channels)` to `(batch, height / 4, width / 4, embedding_dim)`.

    Args:
        image_channels: int, 1 for grey images, 3 for colour.
        embedding_dim: int, channels of the output.
        filters: int, width; the first convolution has half of it.
        residual_filters: int, inner width of the residual blocks.
        num_residual_blocks: int, how many of them.
        batch_norm: bool, whether the first convolution and those of the residual blocks are
            followed by batch normalisation.
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
        name="encoder",
    ):
        check_ints(image_channels=image_channels, embedding_dim=embedding_dim)
        checked_bool(batch_norm, "batch_norm")
        images = keras.Input((None, None, image_channels), dtype="uint8", name="images")
        # float32 whatever the policy: in bfloat16 two grey levels become one
        rescale = keras.layers.Rescaling(1 / 127.5, offset=-1, dtype="float32", name="rescale")
        sizes = filters, residual_filters, num_residual_blocks
        x = downsample(rescale(images), 4, *sizes, batch_norm)
        vectors = keras.layers.Conv2D(embedding_dim, 1, name="project")(x)
        super().__init__(images, vectors, name=name)
        self.image_channels, self.embedding_dim = image_channels, embedding_dim
        self.filters, self.residual_filters = filters, residual_filters
        self.num_residual_blocks, self.batch_norm = num_residual_blocks, batch_norm

    def get_config(self):
        arguments = ("image_channels", "embedding_dim", "filters", "residual_filters")
        arguments += ("num_residual_blocks", "batch_norm", "name")
        return {argument: getattr(self, argument) for argument in arguments}
