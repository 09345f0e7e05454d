"""Shifted convolutions: windows that end at the current row or pixel, without masks."""

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_choice, checked_int, checked_sizes

STACKS = ("vertical", "horizontal")


@keras.saving.register_keras_serializable(package="vqzoo")
class ShiftedConv2D(keras.layers.Conv2D):
    """2D convolution whose inputs are moved down, or down and to the right, by padding.

    Section 2.4 of [PixelCNN++](https://arxiv.org/abs/1701.05517). In the vertical stack the last
    row of the window is the current one and its columns lie around the current one; in the
    horizontal stack the window ends at the current pixel. Maps `(batch, height, width, channels)`
    to `(batch, ceil(height / stride), ceil(width / stride), filters)` in the compute dtype;
    position `(i, j)` of a strided map is `(stride * i, stride * j)` of the other.

    The methods on single rows and positions compute in float32 from the weights themselves,
    whatever the dtype policy.

    Args:
        filters: int, number of output channels.
        kernel_size: pair of int, rows and columns; in the vertical stack columns are odd.
        stack: `"vertical"` or `"horizontal"`.
        first: bool, `True` for a layer that sees the image itself: the window ends one row, or in
            the horizontal stack one column, earlier.
        **kwargs: as for `keras.layers.Conv2D`, but for `padding`, which is chosen by `stack`.

    Raises:
        ValueError: if `stack` is none of the two, or `kernel_size` no pair that fits it.
    """

    def __init__(self, filters, kernel_size, stack, first=False, **kwargs):
        checked_int(filters, "filters")
        pair = checked_sizes(kernel_size, "kernel_size", "a pair of ints (rows, columns)", 2)
        checked_choice(stack, "stack", STACKS)
        if stack == "vertical" and pair[1] % 2 == 0:
            raise ValueError(f"`kernel_size` must have odd columns. Received: {kernel_size}")
        super().__init__(filters, pair, padding="valid", **kwargs)
        self.stack, self.first = stack, checked_bool(first, "first")

    def _sides(self):
        """Columns of padding on the left and on the right."""
        columns = self.kernel_size[1]
        if self.stack == "vertical":
            return columns // 2, columns // 2
        return columns - 1 + self.first, -int(self.first)

    def convolution_op(self, inputs, kernel):
        """Convolves what has been padded."""
        top, (left, right) = self.kernel_size[0] - 1, self._sides()
        if self.first and self.stack == "vertical":
            inputs, top = inputs[:, :-1], top + 1
        elif self.first:
            inputs = inputs[:, :, :right]
        padding = ((0, 0), (top, 0), (left, max(right, 0)), (0, 0))
        return super().convolution_op(ops.pad(inputs, padding), kernel)

    def row(self, rows):
        """One row of the output, as far as it comes from `rows`, the first ones of the window.

        Args:
            rows: float tensor `(rows, width, batch, channels)`.

        Returns:
            float32 `(ceil(width / stride), batch, filters)`, the bias included.
        """
        count, width = rows.shape[:2]
        left, right = self._sides()
        padded = ops.pad(rows, ((0, 0), (left, max(right, 0)), (0, 0), (0, 0)))
        # One product of all windows: on a CPU XLA is far quicker with products than convolutions.
        windows = [
            padded[row, column : column + width : self.strides[1]]
            for row in range(count)
            for column in range(self.kernel_size[1])
        ]
        kernel = ops.reshape(self.kernel[:count], (-1, self.filters))
        return ops.matmul(ops.concatenate(windows, axis=-1), kernel) + self.bias

    def last_row_matrix(self):
        """The taps of the current row side by side, `(channels, columns * filters)`.

        The tap of the current column comes first, as it is used first; what the others give waits
        for the positions to come.
        """
        taps = ops.transpose(ops.flip(self.kernel[-1], axis=0), (1, 0, 2))
        return ops.reshape(taps, (taps.shape[0], -1))

    def compute_output_shape(self, input_shape):
        """Shape of the output; sides that are not known stay open."""
        batch, *sides, _ = input_shape
        sides = [side and -(-side // stride) for side, stride in zip(sides, self.strides)]
        return (batch, *sides, self.filters)

    def get_config(self):
        """Constructor arguments; `padding` is not one of them."""
        config = {**super().get_config(), "stack": self.stack, "first": self.first}
        del config["padding"]
        return config


class ShiftedConv2DTranspose(keras.layers.Conv2DTranspose):
    """Doubles the resolution of a stack so that no position hears one after itself.

    The transposed convolutions of Section 2.4 of arXiv:1701.05517, 2 x 3 in the vertical stack and
    2 x 2 in the horizontal one: rows `2 i` and `2 i + 1` hear row `i` of the input; so do columns,
    but for odd ones of the vertical stack, which hear the next column too.

    Args:
        filters: int, number of output channels.
        stack: `"vertical"` or `"horizontal"`.

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`.
        sides: pair of int, height and width of the output, up to twice those of the input.
    """

    def __init__(self, filters, stack, **kwargs):
        super().__init__(filters, (2, 3 if stack == "vertical" else 2), strides=2, **kwargs)
        self.left = int(stack == "vertical")  # the middle one of three columns is its own

    def call(self, inputs, sides):
        height, width = sides
        return super().call(inputs)[:, :height, self.left : self.left + width]

    def rows(self, row, width):
        """The two rows that hear one of the vertical stack, in float32.

        `(half the width, batch, channels)` to `(2, width, batch, filters)`.
        """
        before, own, after = (
            ops.tensordot(row, self.kernel[:, column], ((2,), (2,))) for column in range(3)
        )
        # (column, batch, row of two, filters): the left neighbour of an odd column, the right one
        odd = after + ops.pad(before[1:], ((0, 1), (0, 0), (0, 0), (0, 0)))
        shape = (2 * row.shape[0], *ops.shape(own)[1:])  # the batch is unknown while exporting
        both = ops.reshape(ops.stack([own, odd], axis=1), shape)[:width]
        return ops.transpose(both, (2, 0, 1, 3)) + self.bias

    def doubled(self, x):
        """The four positions, row by row, that hear one of the horizontal stack, in float32.

        `(batch, channels)` to `(4, batch, filters)`.
        """
        four = ops.tensordot(self.kernel, x, ((3,), (1,)))  # (2, 2, filters, batch)
        return ops.reshape(ops.swapaxes(four, 2, 3), (4, -1, self.filters)) + self.bias
