"""Gated residual block of 1 x 1 convolutions: more depth without a wider view."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.causal_stacks import checked_share
from vqzoo.layers.map_checks import check_map, check_map_shape


def small_start():
    """Initializer of a residual block's last kernel: a tenth of the usual size.

    As in PixelSNAIL's released code: a deep stack starts near the identity. A new one for each
    weight, since an initializer gives the same numbers whenever it is called.
    """
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedResidualBlock(keras.layers.Layer):
    """`x + p * sigmoid(q)`, each position for itself; the residual block of arXiv:1712.09763.

    Maps `(batch, height, width, filters)` to the same shape in the compute dtype:

        hidden = dense(elu(x)) + dense(elu(auxiliary))            residual_filters channels
        p, q = halves of dense(dropout(elu(hidden)))              2 * filters channels

    Args:
        filters: int, channels of input and output.
        residual_filters: int, channels between the two dense layers.
        auxiliary_channels: int or `None`, channels of a second input.
        dropout: float in [0, 1), share of the hidden channels dropped in training.

    Call arguments:
        x: float tensor `(batch, height, width, filters)`.
        auxiliary: float tensor `(batch, height, width, auxiliary_channels)`, with that argument.

    Raises:
        ValueError: if an argument is outside its range, or an input has other channels.
    """

    def __init__(self, filters, residual_filters, auxiliary_channels=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.residual_filters = checked_int(residual_filters, "residual_filters")
        if auxiliary_channels is not None:
            checked_int(auxiliary_channels, "auxiliary_channels")
        self.auxiliary_channels = auxiliary_channels
        self.dropout = checked_share(dropout, "dropout")
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, x_shape, auxiliary_shape=None):
        """Makes all weights."""
        check_map_shape(x_shape, self.filters, "x")
        hidden, gates = self.residual_filters, 2 * self.filters
        self.hidden_kernel = self.add_weight((self.filters, hidden), name="hidden_kernel")
        if self.auxiliary_channels:
            shape = (self.auxiliary_channels, hidden)
            self.auxiliary_kernel = self.add_weight(shape, name="auxiliary_kernel")
        self.output_kernel = self.add_weight((hidden, gates), small_start(), name="output_kernel")
        self.hidden_bias = self.add_weight((hidden,), "zeros", name="hidden_bias")
        self.output_bias = self.add_weight((gates,), "zeros", name="output_bias")
        self.built = True

    def call(self, x, auxiliary=None, training=None):
        """The block's output."""
        check_map(x, self.filters, "x")
        if (auxiliary is None) != (self.auxiliary_channels is None):
            state = "must be None" if self.auxiliary_channels is None else "must be given"
            raise ValueError(f"`auxiliary` {state} for this block. Received: {auxiliary}")
        if auxiliary is not None:
            check_map(auxiliary, self.auxiliary_channels, "auxiliary")
        return self._output(x, self.drop(self._hidden(x, auxiliary), training=training))

    def step(self, x, auxiliary=None):
        """The same at some positions, in float32 `(..., filters)`, `(..., auxiliary_channels)`."""
        return self._output(x, self._hidden(x, auxiliary))

    def _hidden(self, x, auxiliary):
        hidden = ops.matmul(ops.elu(x), self.hidden_kernel) + self.hidden_bias
        if auxiliary is not None:
            hidden = hidden + ops.matmul(ops.elu(auxiliary), self.auxiliary_kernel)
        return ops.elu(hidden)

    def _output(self, x, hidden):
        return x + ops.glu(ops.matmul(hidden, self.output_kernel) + self.output_bias, axis=-1)

    def compute_output_shape(self, x_shape, auxiliary_shape=None):
        """The shape of `x`."""
        return x_shape

    def get_config(self):
        """Constructor arguments."""
        arguments = ("filters", "residual_filters", "auxiliary_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
