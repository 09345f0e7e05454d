"""Two convolutions that layers on a vertical and a horizontal stack share."""

import numpy as np
from keras import ops

from vqzoo.checks import checked_bool, checked_int
from vqzoo.layers.gated_stacks import GatedStacks


def checked_window(value, argument, low=3):
    """The width of a window in pixels, odd and `low` or more, or a ValueError with its name."""
    if checked_int(value, argument, low) % 2 == 0:
        raise ValueError(f"`{argument}` must be odd, {low} or more. Received: {value}")
    return value


class CausalStacks(GatedStacks):
    """Base of the layers whose windows are masked ones, without what the masks hide.

    Section 2.2 of arXiv:1606.05328. Kernels hold the visible taps only and inputs are padded to
    fit, so that no weight has to be masked: the vertical kernel has `kernel_size // 2` rows above
    the current one, the horizontal one as many columns to the left. But for the first layer both
    include the current row or column, which is safe since the first vertical stack ends one row
    above.

    The methods on single rows and positions compute in float32 from the weights themselves,
    whatever the dtype policy.

    Args:
        filters: int, channels of each output; its gates have two halves of so many.
        kernel_size: odd int of at least 3, width in pixels of the window that is halved.
        first: bool, `True` for the layer that sees the image itself: hides the current pixel.
        num_classes: int or `None`; a number gives each class a vector that is added to both gates.
        condition_channels: int or `None`, channels of a feature map that is added to both gates.
        dropout: float in [0, 1).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        first=False,
        num_classes=None,
        condition_channels=None,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(filters, num_classes, condition_channels, dropout, **kwargs)
        self.kernel_size = checked_window(kernel_size, "kernel_size")
        self.first = checked_bool(first, "first")
        self.taps = kernel_size // 2 + (not first)  # rows, and columns of the current row

    def _make_weights(self, channels, hidden, kernels, biases):
        """Adds the convolutions from `channels` to `hidden`, further weights, and the conditions'.

        `kernels` and `biases` map names to shapes and to sizes.
        """
        self._channels, self._hidden = channels, hidden
        shapes = {
            "vertical_kernel": (self.taps, self.kernel_size, channels, hidden),
            "horizontal_kernel": (1, self.taps, channels, hidden),
            **kernels,
        }
        for name, shape in shapes.items():
            self._make_weight(name, shape)
        self._make_features_kernel()
        for name, size in biases.items():
            self._make_weight(name, (size,), "zeros")
        self._make_class_vectors()

    def _vertical_conv(self, vertical):
        half = self.kernel_size // 2
        if self.first:  # one row up: the rows above only
            vertical = vertical[:, :-1]
        padded = ops.pad(vertical, ((0, 0), (half, 0), (half, half), (0, 0)))
        return ops.conv(padded, self.vertical_kernel, padding="valid") + self.vertical_bias

    def _horizontal_conv(self, horizontal):
        if self.first:  # one column left
            horizontal = horizontal[:, :, :-1]
        # Padded on the left alone: no column to the right ever meets the kernel.
        padded = ops.pad(horizontal, ((0, 0), (0, 0), (self.kernel_size // 2, 0), (0, 0)))
        return ops.conv(padded, self.horizontal_kernel, padding="valid")

    def no_rows(self, width, batch_size):
        """What `vertical_row` keeps, before the first row: `(taps - 1, width, batch, channels)`."""
        return ops.zeros((self.taps - 1, width, batch_size, self._channels))

    def no_columns(self, batch_size):
        """What `horizontal_step` keeps, at the start of a row: `(batch, (taps - 1) * hidden)`."""
        return ops.zeros((batch_size, (self.taps - 1) * self._hidden))

    def horizontal_matrix(self):
        """The horizontal kernel for `horizontal_step`: `(channels, taps * hidden)`."""
        # Flipped: the tap for the current column comes first, as it is used first.
        taps = ops.transpose(ops.flip(self.horizontal_kernel[0], axis=0), (1, 0, 2))
        return ops.reshape(taps, (taps.shape[0], -1))

    def _vertical_row_conv(self, above, x):
        """The vertical convolution at one row `x`: what to keep, and `(width, batch, hidden)`."""
        rows = ops.concatenate([above, x[None]])
        width, half = rows.shape[1], self.kernel_size // 2
        padded = ops.pad(rows, ((0, 0), (half, half), (0, 0), (0, 0)))
        places = np.ndindex(self.taps, self.kernel_size)
        # One product of all windows: on a CPU XLA is far quicker with products than convolutions.
        windows = [padded[row, column : column + width] for row, column in places]
        kernel = ops.reshape(self.vertical_kernel, (-1, self._hidden))
        output = ops.matmul(ops.concatenate(windows, axis=-1), kernel) + self.vertical_bias
        return rows[1:], output

    def _horizontal_step_conv(self, x, pending, matrix):
        """The horizontal convolution at one position `x`: what to keep, and `(batch, hidden)`.

        The position is multiplied by all taps at once; what they add to later positions waits in
        `pending`, so that no window has to be put together.
        """
        added = ops.matmul(x, matrix) + ops.pad(pending, ((0, 0), (0, self._hidden)))
        return added[:, self._hidden :], added[:, : self._hidden]

    def get_config(self):
        """Constructor arguments that all such layers have."""
        return {**super().get_config(), "kernel_size": self.kernel_size}
