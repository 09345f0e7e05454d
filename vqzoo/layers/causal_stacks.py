"""What layers on a vertical and a horizontal stack share: two convolutions and the conditions."""

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_bool, checked_int, checked_number, shown
from vqzoo.layers.map_checks import check_map


def checked_window(value, argument, low=3):
    """The width of a window in pixels, odd and `low` or more, or a ValueError with its name."""
    if checked_int(value, argument, low) % 2 == 0:
        raise ValueError(f"`{argument}` must be odd, {low} or more. Received: {value}")
    return value


def checked_share(value, argument):
    """The share that a dropout drops, in [0, 1), or a ValueError naming `argument`."""
    return checked_number(value, argument, "in [0, 1)", lambda share: 0 <= share < 1)


class CausalStacks(keras.layers.Layer):
    """Base of the layers on a pair (vertical, horizontal) of `(batch, height, width, channels)`.

    Section 2.2 of arXiv:1606.05328: the vertical stack sees the rows above, the horizontal one the
    pixels to the left in the row; where the second hears the first there is no blind spot.
    Kernels hold the visible taps only and inputs are padded to fit, so that no weight has to be
    masked: the vertical kernel has `kernel_size // 2` rows above the current one, the horizontal
    one as many columns to the left. But for the first layer both include the current row or
    column, which is safe since the first vertical stack ends one row above.

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
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.kernel_size = checked_window(kernel_size, "kernel_size")
        self.first = checked_bool(first, "first")
        if num_classes is not None:
            checked_int(num_classes, "num_classes")
        if condition_channels is not None:
            checked_int(condition_channels, "condition_channels")
        self.num_classes, self.condition_channels = num_classes, condition_channels
        self.dropout = checked_share(dropout, "dropout")
        self.taps = kernel_size // 2 + (not first)  # rows, and columns of the current row
        # A sublayer does not inherit the policy of the layer that owns it.
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def _make_weights(self, channels, hidden, kernels, biases):
        """Adds the convolutions from `channels` to `hidden`, further weights, and the conditions'.

        `kernels` and `biases` map names to shapes and to sizes.
        """
        self._channels, self._hidden = channels, hidden
        gates = 2 * self.filters
        shapes = {
            "vertical_kernel": (self.taps, self.kernel_size, channels, hidden),
            "horizontal_kernel": (1, self.taps, channels, hidden),
            **kernels,
        }
        if self.condition_channels:
            shapes["features_kernel"] = (self.condition_channels, gates)
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape, "glorot_uniform", name=name))
        for name, size in biases.items():
            setattr(self, name, self.add_weight((size,), "zeros", name=name))
        if self.num_classes:
            shape, start = (self.num_classes, gates), keras.initializers.RandomNormal(stddev=0.05)
            self.class_vectors = self.add_weight(shape, start, name="class_vectors")

    def condition(self, labels, features):
        """Added to both gates: `(batch, 1 or height, 1 or width, 2 * filters)`, or `None`."""
        for value, wanted, name in (
            (labels, self.num_classes, "labels"),
            (features, self.condition_channels, "features"),
        ):
            if (value is None) != (not wanted):
                state = "must be given" if wanted else "must be None"
                raise ValueError(f"`{name}` {state} for this layer. Received: {value}")
        added = None
        if self.num_classes:
            labels = ops.convert_to_tensor(labels)
            if len(labels.shape) != 1 or not keras.backend.is_int_dtype(labels.dtype):
                raise ValueError(f"`labels` must be ints (batch,). Received: {shown(labels)}")
            added = ops.take(self.class_vectors, labels, axis=0)[:, None, None, :]
        if self.condition_channels:
            check_map(features, self.condition_channels, "features")
            spatial = ops.matmul(ops.cast(features, self.compute_dtype), self.features_kernel)
            added = spatial if added is None else added + spatial
        return added

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

    def compute_output_shape(self, stacks_shape, labels_shape=None, features_shape=None):
        """Pair of the shapes of the outputs."""
        return tuple((*shape[:-1], self.filters) for shape in stacks_shape)

    def get_config(self):
        """Constructor arguments that all such layers have."""
        arguments = ("filters", "kernel_size", "num_classes", "condition_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def channels_of(stacks_shape):
    """The number of channels; `stacks_shape` is the pair of shapes, or that of one stack."""
    return stacks_shape[-1] if isinstance(stacks_shape[-1], int) else stacks_shape[0][-1]
