"""Gated convolution block: two convolutions and a gate beside the identity."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.causal_stacks import checked_window
from vqzoo.layers.gated_stacks import checked_share
from vqzoo.layers.map_checks import check_map, check_map_shape


def small_start():
    """Initializer of a residual block's last kernel: a tenth of Glorot's scale.

    As in PixelSNAIL's released code: a deep stack starts close to the identity. A new one for each
    weight, since an initializer gives the same numbers whenever it is called.
    """
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedConvBlock(keras.layers.Layer):
    """`inputs + p * sigmoid(q)`, p and q halves of the channels of a small network.

    The gated residual block of [PixelSNAIL](https://arxiv.org/abs/1712.09763) without masks, with
    the inner width of Table 3 of arXiv:1906.00446: for maps that are known as a whole or, with a
    kernel of 1 x 1, for each position by itself:

        hidden = conv(elu(inputs)) + dense(elu(auxiliary))        residual_filters channels
        p, q   = conv1x1(dropout(elu(hidden)))                    2 * filters channels

    Maps `(batch, height, width, filters)` to the same shape, in the compute dtype.

    Args:
        filters: int, channels of input and output.
        residual_filters: int, channels between the two convolutions.
        kernel_size: odd int, window of the first convolution in pixels.
        auxiliary_channels: int or `None`, channels of a second input.
        dropout: float in [0, 1), share of the hidden channels' values dropped in training.
        **kwargs: `name`, `dtype`, `trainable`, as for every `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, height, width, filters)`.
        auxiliary: float tensor `(batch, height, width, auxiliary_channels)`, with that argument.

    Raises:
        ValueError: if an argument is outside its range, or an input has other channels.
    """

    def __init__(
        self,
        filters,
        residual_filters,
        kernel_size=3,
        auxiliary_channels=None,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.residual_filters = checked_int(residual_filters, "residual_filters")
        self.kernel_size = checked_window(kernel_size, "kernel_size", 1)
        self.auxiliary_channels = auxiliary_channels
        self.dropout, dtype = checked_share(dropout, "dropout"), self.dtype_policy
        self.spatial = keras.layers.Conv2D(
            residual_filters, kernel_size, padding="same", dtype=dtype, name="spatial"
        )
        if auxiliary_channels is not None:
            checked_int(auxiliary_channels, "auxiliary_channels")
            self.from_auxiliary = keras.layers.Dense(
                residual_filters, use_bias=False, dtype=dtype, name="from_auxiliary"
            )
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)
        self.gates = keras.layers.Conv2D(
            2 * filters, 1, kernel_initializer=small_start(), dtype=dtype, name="gates"
        )

    def build(self, inputs_shape, auxiliary_shape=None):
        check_map_shape(inputs_shape, self.filters, "inputs")
        self.spatial.build(inputs_shape)
        if self.auxiliary_channels is not None:
            self.from_auxiliary.build((None, self.auxiliary_channels))
        self.gates.build((*inputs_shape[:-1], self.residual_filters))

    def call(self, inputs, auxiliary=None, training=None):
        check_map(inputs, self.filters, "inputs")
        hidden = self.spatial(ops.elu(inputs))
        if (auxiliary is None) != (self.auxiliary_channels is None):
            state = "must be given" if auxiliary is None else "must be None"
            raise ValueError(f"`auxiliary` {state} for this block. Received: {auxiliary}")
        if auxiliary is not None:
            check_map(auxiliary, self.auxiliary_channels, "auxiliary")
            hidden = hidden + self.from_auxiliary(ops.elu(auxiliary))
        hidden = self.drop(ops.elu(hidden), training=training)
        return inputs + ops.glu(self.gates(hidden), axis=-1)

    def step(self, inputs, auxiliary=None):
        """The same at one position, `(batch, filters)` in float32; the kernel must be 1 x 1."""
        hidden = ops.matmul(ops.elu(inputs), self.spatial.kernel[0, 0]) + self.spatial.bias
        if auxiliary is not None:
            hidden = hidden + ops.matmul(ops.elu(auxiliary), self.from_auxiliary.kernel)
        gates = ops.matmul(ops.elu(hidden), self.gates.kernel[0, 0]) + self.gates.bias
        return inputs + ops.glu(gates, axis=-1)

    def compute_output_shape(self, inputs_shape, auxiliary_shape=None):
        return inputs_shape

    def get_config(self):
        arguments = ("filters", "residual_filters", "kernel_size", "auxiliary_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
