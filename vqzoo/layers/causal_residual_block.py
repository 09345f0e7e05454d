"""Causal gated residual block on a vertical and a horizontal stack."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.causal_stacks import CausalStacks
from vqzoo.layers.gated_conv_block import small_start
from vqzoo.layers.gated_stacks import channels_of
from vqzoo.layers.map_checks import check_map


@keras.saving.register_keras_serializable(package="vqzoo")
class CausalResidualBlock(CausalStacks):
    """Gated residual block of PixelSNAIL (arXiv:1712.09763) on two stacks.

    The convolutions of Gated PixelCNN (Section 2.2 of arXiv:1606.05328) in place of the shifted
    ones, as VQ-VAE-2 has it (Section 3.2 of arXiv:1906.00446): no blind spot, also without
    attention. Maps a pair (vertical, horizontal) of `(batch, height, width, filters)` to such a
    pair; the vertical stack sees the rows above, the horizontal one also the pixels to the left:

        vertical'   = vertical + change(conv(elu(vertical)))
        horizontal' = horizontal + change(conv(elu(horizontal)) + dense(elu(vertical')))
        change(u)   = p * sigmoid(q), p and q halves of dense(dropout(elu(u))) + c

    Convolutions map to `residual_filters` channels; c holds what class and features add. Inputs
    must hold strictly earlier pixels only, as the outputs of a first `GatedMaskedConv` do.

    Args:
        filters: int, channels of each stack.
        residual_filters: int, channels between convolution and gate.
        kernel_size: odd int of at least 3, width in pixels of the window that is halved.
        num_classes: int or `None`; a number gives each class a vector that is added to both gates.
        condition_channels: int or `None`, channels of a feature map that is added to both gates.
        dropout: float in [0, 1), share of the channels between that training drops.

    Call arguments:
        stacks: pair of float tensors, vertical and horizontal stack.
        labels: int tensor `(batch,)`, with `num_classes`.
        features: float tensor `(batch, height, width, condition_channels)`, with that argument.

    Raises:
        ValueError: if an argument is outside its range, or a condition is missing.
    """

    def __init__(
        self,
        filters,
        residual_filters,
        kernel_size,
        num_classes=None,
        condition_channels=None,
        dropout=0.0,
        **kwargs,
    ):
        conditions = (num_classes, condition_channels)
        super().__init__(filters, kernel_size, False, *conditions, dropout, **kwargs)
        self.residual_filters = checked_int(residual_filters, "residual_filters")

    def build(self, stacks_shape):
        """Makes all weights; `stacks_shape` is the pair of shapes, or that of one stack."""
        if channels_of(stacks_shape) != self.filters:
            raise ValueError(
                f"`filters` must equal the input's channels. "
                f"Received: filters={self.filters}, channels={channels_of(stacks_shape)}"
            )
        hidden, gates = self.residual_filters, 2 * self.filters
        kernels = {"vertical_to_horizontal_kernel": (self.filters, hidden)}
        biases = {"vertical_bias": hidden, "horizontal_bias": hidden}
        self._make_weights(self.filters, hidden, kernels, biases)
        self._outputs = {}
        for stack in ("vertical", "horizontal"):
            kernel, bias = f"{stack}_output_kernel", f"{stack}_output_bias"
            kernel = self.add_weight((hidden, gates), small_start(), name=kernel)
            self._outputs[stack] = kernel, self.add_weight((gates,), "zeros", name=bias)
        self.built = True

    def call(self, stacks, labels=None, features=None, training=None):
        """Both stacks of the next block, in the compute dtype."""
        vertical, horizontal = stacks
        for stack in stacks:
            check_map(stack, self.filters, "stacks")
        condition = self.condition(labels, features)

        def drop(hidden):
            return self.drop(hidden, training=training)

        above = drop(ops.elu(self._vertical_conv(ops.elu(vertical))))
        vertical = vertical + self._change("vertical", above, condition)
        left = self._horizontal_conv(ops.elu(horizontal)) + self._to_horizontal(vertical)
        change = self._change("horizontal", drop(ops.elu(left)), condition)
        return vertical, horizontal + change

    def _change(self, stack, hidden, condition):
        kernel, bias = self._outputs[stack]
        gates = ops.matmul(hidden, kernel) + bias
        return ops.glu(gates if condition is None else gates + condition, axis=-1)

    def _to_horizontal(self, vertical):
        added = ops.matmul(ops.elu(vertical), self.vertical_to_horizontal_kernel)
        return added + self.horizontal_bias

    def vertical_row(self, above, x, condition=None):
        """One row of the vertical stack, in float32.

        Args:
            above: from `no_rows` or the row before.
            x: float tensor `(width, batch, filters)`: the last row that it sees.
            condition: `None` or of a shape that broadcasts to the outputs' gates.

        Returns:
            `above` for the next row; the next block's row `(width, batch, filters)`; and what
            `horizontal_step` takes for each column, a list of tensors `(width, batch, channels)`.
        """
        above, output = self._vertical_row_conv(above, ops.elu(x))
        x = x + self._change("vertical", ops.elu(output), condition)
        columns = [self._to_horizontal(x)]
        if condition is not None:
            columns.append(ops.broadcast_to(condition, (*ops.shape(x)[:2], 2 * self.filters)))
        return above, x, columns

    def horizontal_step(self, x, pending, from_vertical, matrix):
        """One position of the horizontal stack, in float32.

        Args:
            x: float tensor `(batch, filters)`, the position itself.
            pending: from `no_columns` or the position before.
            from_vertical: an entry of what `vertical_row` returned.
            matrix: from `horizontal_matrix`.

        Returns:
            `pending` for the next position, and a tensor `(batch, filters)`.
        """
        added, *condition = from_vertical
        pending, output = self._horizontal_step_conv(ops.elu(x), pending, matrix)
        hidden = ops.elu(output + added)
        return pending, x + self._change("horizontal", hidden, *condition or [None])

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "residual_filters": self.residual_filters}
