"""Conditioning stack: coarser maps of codes to what the prior of the next level is told of them."""

import keras

from vqzoo.checks import check_ints, checked_int, checked_sizes, shown
from vqzoo.layers.gated_conv_block import GatedConvBlock


@keras.saving.register_keras_serializable(package="vqzoo")
class ConditioningStack(keras.Model):
    """Features of the coarser levels' codes, at twice the resolution of the finest of them.

    The residual conditioning stack of Section 3.2 of
    [VQ-VAE-2](https://arxiv.org/abs/1906.00446), which says no more of several coarser levels: here
    each is embedded and brought to the size of the finest of them, all are concatenated, mixed by
    a 3x3 convolution and `num_blocks` unmasked gated residual blocks, and enlarged. Codes are
    repeated to enlarge a map. Any height and width will do.

    Call arguments:
        codes: list of int tensors, coarse to fine, each with sides twice those of the one before;
            the last one `(batch, height, width)`.

    Returns:
        `(batch, 2 height, 2 width, filters)` in the compute dtype.

    Args:
        num_embeddings: list of int, number of codes K of each coarser level, coarse to fine.
        filters: int, channels of features and embeddings.
        residual_filters: int, inner width of the blocks.
        num_blocks: int, 0 or more.
        dropout: float in [0, 1), see `GatedConvBlock`.
        name: str.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        num_embeddings,
        filters=128,
        residual_filters=128,
        num_blocks=4,
        dropout=0.0,
        name="conditioning_stack",
    ):
        sizes = checked_sizes(num_embeddings, "num_embeddings", "a list of one size a level")
        if not sizes:
            raise ValueError(
                f"`num_embeddings` must hold the size of a level. Received: {shown(num_embeddings)}"
            )
        filters = checked_int(filters, "filters")  # Keras' embedding takes no integer of NumPy
        check_ints(0, num_blocks=num_blocks)
        names = [f"codes_{level}" for level in range(len(sizes))]
        codes = [keras.Input((None, None), dtype="int32", name=name) for name in names]
        maps = []
        for level, size in enumerate(sizes):
            # Keras' default lies within 0.05 of 0: all codes would look alike at first.
            unit_normal = keras.initializers.RandomNormal(stddev=1.0)
            embed = keras.layers.Embedding(size, filters, unit_normal, name=f"embedding_{level}")
            steps = len(sizes) - 1 - level
            maps.append(_doubled(embed(codes[level]), steps, f"enlarge_{level}"))
        x = keras.layers.Concatenate(name="levels")(maps) if len(maps) > 1 else maps[0]
        x = keras.layers.Conv2D(filters, 3, padding="same", name="mix")(x)
        for index in range(num_blocks):
            x = GatedConvBlock(filters, residual_filters, dropout=dropout, name=f"block_{index}")(x)
        super().__init__(codes, _doubled(x, 1, "enlarge"), name=name)
        self.num_embeddings, self.filters, self.dropout = list(sizes), filters, dropout
        self.residual_filters, self.num_blocks = residual_filters, num_blocks

    def get_config(self):
        arguments = ("filters", "residual_filters", "num_blocks", "dropout", "name")
        arguments = {argument: getattr(self, argument) for argument in arguments}
        return {"num_embeddings": list(self.num_embeddings), **arguments}


def _doubled(x, times, name):
    """The map with both sides doubled `times` times."""
    return keras.layers.UpSampling2D(2**times, name=name)(x) if times else x
