"""Attention block of PixelSNAIL: gated residual blocks around causal self-attention."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.causal_self_attention import CausalSelfAttention
from vqzoo.layers.gated_conv_block import GatedConvBlock
from vqzoo.layers.map_checks import check_map


@keras.saving.register_keras_serializable(package="vqzoo")
class CausalAttentionBlock(keras.layers.Layer):
    """Lets features that know the past near by hear all of it; arXiv:1712.09763.

    With the place of a position, (row / height - 1/2, column / width - 1/2), as two channels:

        query = block(features, place)      memory = block(inputs, features, place)
        features' = block(features, attention(query, memory))

    each `block` a `GatedConvBlock` of 1 x 1 pixel. The inputs are what is to be predicted: they
    reach later positions only. Maps `(batch, height, width, filters)` to the same shape.

    Args:
        filters: int, channels of features and inputs.
        residual_filters: int, see `GatedConvBlock`.
        num_heads, key_dim, value_dim: int, see `CausalSelfAttention`.
        dropout: float in [0, 1), in the blocks and on the scores of the attention.

    Call arguments:
        features: float tensor `(batch, height, width, filters)`, of strictly earlier pixels.
        inputs: float tensor of that shape, the pixels themselves.

    Raises:
        ValueError: if an argument is outside its range, or an input is no such map.
    """

    def __init__(
        self, filters, residual_filters, num_heads, key_dim, value_dim, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.residual_filters = residual_filters
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim
        self.dropout = dropout
        common = {"dropout": dropout, "dtype": self.dtype_policy}
        self.attention = CausalSelfAttention(
            num_heads, key_dim, value_dim, name="attention", **common
        )
        sizes = {"query": filters + 2, "memory": 2 * filters + 2}
        self.query, self.memory = (
            GatedConvBlock(size, residual_filters, 1, name=name, **common)
            for name, size in sizes.items()
        )
        self.output_block = GatedConvBlock(
            filters, residual_filters, 1, num_heads * value_dim, name="output_block", **common
        )

    def build(self, features_shape, inputs_shape=None):
        """Makes all weights."""
        for block in (self.query, self.memory, self.output_block):
            block.build((None, None, None, block.filters))
        shapes = [(None, None, None, block.filters) for block in (self.query, self.memory)]
        self.attention.build(*shapes)
        self.built = True

    def call(self, features, inputs, training=None):
        """The features, each of which has heard all before it."""
        check_map(features, self.filters, "features")
        check_map(inputs, self.filters, "inputs")
        batch, height, width = ops.shape(features)[:3]
        rows, columns = ops.meshgrid(ops.arange(height), ops.arange(width), indexing="ij")
        places = ops.cast(_place(rows, columns, height, width), features.dtype)
        places = ops.broadcast_to(places, (batch, height, width, 2))
        known = ops.concatenate([features, places], axis=-1)
        memory = self.memory(ops.concatenate([inputs, known], axis=-1), training=training)
        query = self.query(known, training=training)
        heard = self.attention(query, memory, training=training)
        return self.output_block(features, heard, training=training)

    def no_memory(self, height, width, batch_size):
        """What `step` keeps, before the first position of a map of that size."""
        known = ops.zeros((batch_size, self.filters + 2))
        return {"known": known, "attention": self.attention.no_memory(height, width, batch_size)}

    def step(self, features, before, kept, row, column):
        """One position, in float32.

        Args:
            features: float tensor `(batch, filters)`.
            before: float tensor `(batch, filters)`, the input of the position before in raster
                order; anything at the first one.
            kept: from `no_memory` or the position before.
            row, column: int32 scalars, the position.

        Returns:
            `kept` for the next position, and a tensor `(batch, filters)`.
        """
        keys, _ = kept["attention"]
        height, width = keys.shape[0], keys.shape[-1]
        place = ops.cast(_place(row, column, height, width), features.dtype)
        place = ops.broadcast_to(place, (ops.shape(features)[0], 2))
        known = ops.concatenate([features, place], axis=-1)
        memory = self.memory.step(ops.concatenate([before, kept["known"]], axis=-1))
        query = self.query.step(known)
        attention, heard = self.attention.step(query, memory, kept["attention"], row, column)
        kept = {"known": known, "attention": attention}
        return kept, self.output_block.step(features, heard)

    def compute_output_shape(self, features_shape, inputs_shape=None):
        """The shape of the features."""
        return features_shape

    def get_config(self):
        """Constructor arguments."""
        arguments = ("filters", "residual_filters", "num_heads", "key_dim", "value_dim", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def _place(row, column, height, width):
    """Where a position lies in its map, -1/2 to 1/2 along each axis: `(..., 2)`."""
    return ops.stack([row / height - 0.5, column / width - 0.5], axis=-1)
