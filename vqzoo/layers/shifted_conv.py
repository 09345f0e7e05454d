"""Shifted convolution: a window that ends at the current row or pixel, without masks."""

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_choice, checked_int, checked_sizes


@keras.saving.register_keras_serializable(package="vqzoo")
class ShiftedConv2D(keras.layers.Conv2D):
    """2D convolution whose inputs are moved down, or down and to the right, by padding.

    Section 2.4 of [PixelCNN++](https://arxiv.org/abs/1701.05517). In the vertical stack the last
    row of the window is the current one and its columns lie around the current one; in the
    horizontal stack the window ends at the current pixel. Maps `(batch, height, width, channels)`
    to `(batch, ceil(height / stride), ceil(width / stride), filters)` in the compute dtype;
    position `(i, j)` of a strided map is `(stride * i, stride * j)` of the other.

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
        checked_choice(stack, "stack", ("vertical", "horizontal"))
        if stack == "vertical" and pair[1] % 2 == 0:
            raise ValueError(f"`kernel_size` must have odd columns. Received: {kernel_size}")
        super().__init__(filters, pair, padding="valid", **kwargs)
        self.stack = stack
        self.first = checked_bool(first, "first")

    def convolution_op(self, inputs, kernel):
        """Convolves what has been padded."""
        rows, columns = self.kernel_size
        top, left, right = rows - 1, columns // 2, columns // 2
        if self.stack == "horizontal":
            left, right = columns - 1, 0
        if self.first and self.stack == "vertical":
            inputs, top = inputs[:, :-1], top + 1
        elif self.first:
            inputs, left = inputs[:, :, :-1], left + 1
        padded = ops.pad(inputs, ((0, 0), (top, 0), (left, right), (0, 0)))
        return super().convolution_op(padded, kernel)

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
