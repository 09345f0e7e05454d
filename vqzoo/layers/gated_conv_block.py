"""Gated convolution block: two convolutions and a gate beside the identity."""

import keras
from keras import ops

from vqzoo.checks import checked_int, checked_number
from vqzoo.layers.map_checks import check_map, check_map_shape


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedConvBlock(keras.layers.Layer):
    """`x + p * sigmoid(q)` with `(p, q) = conv1x1(dropout(elu(conv3x3(elu(x)))))`, halves.

    The gated residual block of Figure 3 of [PixelSNAIL](https://arxiv.org/abs/1712.09763) without
    masks, for maps that are known as a whole, with the inner width of Table 3 of arXiv:1906.00446.
    Maps `(batch, height, width, filters)` to the same shape, in the compute dtype.

    Args:
        filters: int, channels of input and output.
        residual_filters: int, channels between the two convolutions.
        dropout: float in [0, 1), share of these channels' values dropped in training.
        **kwargs: `name`, `dtype`, `trainable`, as for every `keras.layers.Layer`.

    Raises:
        ValueError: if an argument is outside its range, or the input has not `filters` channels.
    """

    def __init__(self, filters, residual_filters, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.residual_filters = checked_int(residual_filters, "residual_filters")
        self.dropout = checked_number(dropout, "dropout", "in [0, 1)", lambda share: 0 <= share < 1)
        dtype = self.dtype_policy
        self.spatial = keras.layers.Conv2D(
            residual_filters, 3, padding="same", dtype=dtype, name="spatial"
        )
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)
        # A tenth of Glorot's scale: a deep stack of such blocks starts close to the identity.
        small = keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")
        self.gates = keras.layers.Conv2D(
            2 * filters, 1, kernel_initializer=small, dtype=dtype, name="gates"
        )

    def build(self, input_shape):
        check_map_shape(input_shape, self.filters, "inputs")
        self.spatial.build(input_shape)
        self.gates.build((*input_shape[:-1], self.residual_filters))

    def call(self, inputs, training=None):
        check_map(inputs, self.filters, "inputs")
        hidden = ops.elu(self.spatial(ops.elu(inputs)))
        return inputs + ops.glu(self.gates(self.drop(hidden, training=training)), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        arguments = ("filters", "residual_filters", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
