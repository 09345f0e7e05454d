"""Gated masked convolution: a vertical and a horizontal stack that together have no blind spot."""

import keras
from keras import ops

from vqzoo.checks import checked_bool
from vqzoo.layers.causal_stacks import CausalStacks
from vqzoo.layers.gated_stacks import channels_of
from vqzoo.layers.map_checks import check_map


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedMaskedConv(CausalStacks):
    """One layer of a gated PixelCNN; Sections 2.1 to 2.3 and Figure 2 of arXiv:1606.05328.

    Maps a pair (vertical, horizontal) of `(batch, height, width, channels)` to such a pair with
    `filters` channels. The vertical stack sees the rows above, the horizontal one also the
    pixels to the left in the current row:

        V = conv(vertical)               H = conv(horizontal)
        vertical' = gate(V + c)          gate(a, b) = tanh(a) * sigmoid(b), halves of the channels
        horizontal' = gate(dense(V) + H + c) -> dropout -> dense (+ horizontal if `residual`)

    Args:
        filters: int, channels of each output.
        kernel_size: odd int of at least 3, width in pixels of the window that the masks halve.
        first: bool, `True` for the layer that sees the image itself: hides the current pixel.
        residual: bool, adds the horizontal input to the horizontal output.
        num_classes: int or `None`; a number gives each class a vector that is added to both gates.
        condition_channels: int or `None`, channels of a feature map that is added to both gates.
        dropout: float in [0, 1), share of the horizontal gate's outputs dropped in training.

    Call arguments:
        stacks: pair of float tensors, vertical and horizontal stack; the same tensor twice in the
            first layer.
        labels: int tensor `(batch,)`, with `num_classes`.
        features: float tensor `(batch, height, width, condition_channels)`, with that argument.

    Raises:
        ValueError: if an argument is outside its range, if `first` and `residual` are both set
            (the current pixel would reach its own prediction), or if a condition is missing.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        first=False,
        residual=True,
        num_classes=None,
        condition_channels=None,
        dropout=0.0,
        **kwargs,
    ):
        conditions = (num_classes, condition_channels)
        super().__init__(filters, kernel_size, first, *conditions, dropout, **kwargs)
        self.residual = checked_bool(residual, "residual")
        if first and residual:
            raise ValueError("`residual` must be False if `first` is True. Received: both True")

    def build(self, stacks_shape):
        """Makes all weights; `stacks_shape` is the pair of shapes, or that of one stack."""
        channels, gates = channels_of(stacks_shape), 2 * self.filters
        if self.residual and channels != self.filters:
            raise ValueError(
                f"`filters` must equal the input's channels if `residual` is True. "
                f"Received: filters={self.filters}, channels={channels}"
            )
        kernels = {
            "vertical_to_horizontal_kernel": (gates, gates),
            "output_kernel": (self.filters, self.filters),
        }
        biases = {"vertical_bias": gates, "horizontal_bias": gates, "output_bias": self.filters}
        self._make_weights(channels, gates, kernels, biases)
        self.built = True

    def call(self, stacks, labels=None, features=None, training=None):
        """Both stacks of the next layer, in the compute dtype."""
        vertical, horizontal = stacks
        for stack in stacks:
            check_map(stack, self._channels, "stacks")
        condition = self.condition(labels, features)
        above = self._vertical_conv(vertical)
        # The horizontal stack gets the vertical one before its gate, as in Figure 2 of the paper.
        gated = gate(self._to_horizontal(above, condition) + self._horizontal_conv(horizontal))
        output = self._output(self.drop(gated, training=training), horizontal)
        return gate(above if condition is None else above + condition), output

    def _to_horizontal(self, above, condition):
        """What the vertical stack (before its gate) and the condition give the horizontal gate."""
        added = ops.matmul(above, self.vertical_to_horizontal_kernel) + self.horizontal_bias
        return added if condition is None else added + condition

    def _output(self, gated, horizontal):
        output = ops.matmul(gated, self.output_kernel) + self.output_bias
        return output + horizontal if self.residual else output

    def vertical_row(self, above, x, condition=None):
        """One row of the vertical stack, in float32.

        Args:
            above: from `no_rows` or the row before.
            x: float tensor `(width, batch, channels)`: the last row that it sees.
            condition: `None` or of a shape that broadcasts to the outputs' gates.

        Returns:
            `above` for the next row; the next layer's row `(width, batch, filters)`; and what
            `horizontal_step` takes for each column, `(width, batch, 2 * filters)`.
        """
        above, output = self._vertical_row_conv(above, x)
        next_row = gate(output if condition is None else output + condition)
        return above, next_row, self._to_horizontal(output, condition)

    def horizontal_step(self, x, pending, from_vertical, matrix):
        """One position of the horizontal stack, in float32.

        Args:
            x: float tensor `(batch, channels)`, the last position that this one sees.
            pending: from `no_columns` or the position before.
            from_vertical: an entry of what `vertical_row` returned.
            matrix: from `horizontal_matrix`.

        Returns:
            `pending` for the next position, and a tensor `(batch, filters)`.
        """
        pending, output = self._horizontal_step_conv(x, pending, matrix)
        return pending, self._output(gate(output + from_vertical), x)

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "first": self.first, "residual": self.residual}


def gate(x):
    """tanh of the first half of the channels times sigmoid of the second.

    Equation 2 of arXiv:1606.05328. Float `(..., 2 * filters)` to `(..., filters)`.
    """
    signal, opening = ops.split(x, 2, axis=-1)
    return ops.tanh(signal) * ops.sigmoid(opening)
