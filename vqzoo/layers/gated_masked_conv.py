"""Gated masked convolution: a vertical and a horizontal stack that together have no blind spot."""

import keras
import numpy as np
from keras import ops

from vqzoo.checks import checked_bool, checked_int, checked_number, shown
from vqzoo.layers.map_checks import check_map


def checked_window(value, argument):
    """The width of a window in pixels, odd and 3 or more, or a ValueError naming `argument`."""
    if checked_int(value, argument, 3) % 2 == 0:
        raise ValueError(f"`{argument}` must be odd, 3 or more. Received: {value}")
    return value


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedMaskedConv(keras.layers.Layer):
    """One layer of a gated PixelCNN; Sections 2.1 to 2.3 and Figure 2 of arXiv:1606.05328.

    Maps a pair (vertical, horizontal) of `(batch, height, width, channels)` to such a pair with
    `filters` channels. The vertical stack sees the rows above, the horizontal one also the
    pixels to the left in the current row:

        V = conv(vertical)               H = conv(horizontal)
        vertical' = gate(V + c)          gate(a, b) = tanh(a) * sigmoid(b), halves of the channels
        horizontal' = gate(dense(V) + H + c) -> dropout -> dense (+ horizontal if `residual`)

    Kernels hold the visible taps only and inputs are padded to fit, so that no weight has to be
    masked: the vertical kernel has `kernel_size // 2` rows above the current one, the horizontal
    one as many columns to the left. But for the first layer both include the current row or
    column, which is safe since the first vertical stack ends one row above.

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
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.kernel_size = checked_window(kernel_size, "kernel_size")
        self.first, self.residual = checked_bool(first, "first"), checked_bool(residual, "residual")
        if first and residual:
            raise ValueError("`residual` must be False if `first` is True. Received: both True")
        if num_classes is not None:
            checked_int(num_classes, "num_classes")
        if condition_channels is not None:
            checked_int(condition_channels, "condition_channels")
        self.num_classes, self.condition_channels = num_classes, condition_channels
        self.dropout = checked_number(dropout, "dropout", "in [0, 1)", lambda share: 0 <= share < 1)
        self.taps = kernel_size // 2 + (not first)  # rows, and columns of the current row
        # A sublayer does not inherit the policy of the layer that owns it.
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, stacks_shape):
        """Makes all weights; `stacks_shape` is the pair of shapes, or that of one stack."""
        channels = stacks_shape[-1] if isinstance(stacks_shape[-1], int) else stacks_shape[0][-1]
        self._channels = channels
        if self.residual and channels != self.filters:
            raise ValueError(
                f"`filters` must equal the input's channels if `residual` is True. "
                f"Received: filters={self.filters}, channels={channels}"
            )
        gates = 2 * self.filters
        shapes = {
            "vertical_kernel": (self.taps, self.kernel_size, channels, gates),
            "horizontal_kernel": (1, self.taps, channels, gates),
            "vertical_to_horizontal_kernel": (gates, gates),
            "output_kernel": (self.filters, self.filters),
        }
        if self.condition_channels:
            shapes["features_kernel"] = (self.condition_channels, gates)
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape, "glorot_uniform", name=name))
        biases = {"vertical": gates, "horizontal": gates, "output": self.filters}
        for name, size in biases.items():
            setattr(self, f"{name}_bias", self.add_weight((size,), "zeros", name=f"{name}_bias"))
        if self.num_classes:
            shape, start = (self.num_classes, gates), keras.initializers.RandomNormal(stddev=0.05)
            self.class_vectors = self.add_weight(shape, start, name="class_vectors")
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

    def _to_horizontal(self, above, condition):
        """What the vertical stack (before its gate) and the condition give the horizontal gate."""
        added = ops.matmul(above, self.vertical_to_horizontal_kernel) + self.horizontal_bias
        return added if condition is None else added + condition

    def _output(self, gated, horizontal):
        output = ops.matmul(gated, self.output_kernel) + self.output_bias
        return output + horizontal if self.residual else output

    def vertical_row(self, rows, condition=None):
        """One row of the vertical stack, in float32.

        Args:
            rows: float tensor `(taps, width, batch, channels)`: the last rows that it sees.
            condition: `None` or of a shape that broadcasts to the outputs' gates.

        Returns:
            Next layer's row `(width, batch, filters)`, and what `horizontal_step` takes for each
            column, `(width, batch, 2 * filters)`.
        """
        width, half = rows.shape[1], self.kernel_size // 2
        padded = ops.pad(rows, ((0, 0), (half, half), (0, 0), (0, 0)))
        places = np.ndindex(self.taps, self.kernel_size)
        # One product of all windows: on a CPU XLA is far quicker with products than convolutions.
        windows = [padded[row, column : column + width] for row, column in places]
        kernel = ops.reshape(self.vertical_kernel, (-1, 2 * self.filters))
        above = ops.matmul(ops.concatenate(windows, axis=-1), kernel) + self.vertical_bias
        next_row = gate(above if condition is None else above + condition)
        return next_row, self._to_horizontal(above, condition)

    def horizontal_matrix(self):
        """The horizontal kernel for `horizontal_step`: `(channels, taps * 2 * filters)`."""
        # Flipped: the tap for the current column comes first, as it is used first.
        taps = ops.transpose(ops.flip(self.horizontal_kernel[0], axis=0), (1, 0, 2))
        return ops.reshape(taps, (taps.shape[0], -1))

    def horizontal_step(self, x, pending, from_vertical, matrix):
        """One position of the horizontal stack, in float32.

        Each position is multiplied by all taps at once; what they add to later positions waits in
        `pending`, so that no window has to be put together.

        Args:
            x: float tensor `(batch, channels)`, the last position that this one sees.
            pending: `(batch, (taps - 1) * 2 * filters)`, zeros at the start of a row.
            from_vertical: `(batch, 2 * filters)`, an entry of what `vertical_row` returned.
            matrix: from `horizontal_matrix`.

        Returns:
            Tensor `(batch, filters)`, and `pending` for the next position.
        """
        gates = 2 * self.filters
        added = ops.matmul(x, matrix) + ops.pad(pending, ((0, 0), (0, gates)))
        return self._output(gate(added[:, :gates] + from_vertical), x), added[:, gates:]

    def compute_output_shape(self, stacks_shape, labels_shape=None, features_shape=None):
        """Pair of the shapes of the outputs."""
        return tuple((*shape[:-1], self.filters) for shape in stacks_shape)

    def get_config(self):
        """Constructor arguments."""
        arguments = ("filters", "kernel_size", "first", "residual", "num_classes")
        arguments += ("condition_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def gate(x):
    """tanh of the first half of the channels times sigmoid of the second.

    Equation 2 of arXiv:1606.05328. Float `(..., 2 * filters)` to `(..., filters)`.
    """
    signal, opening = ops.split(x, 2, axis=-1)
    return ops.tanh(signal) * ops.sigmoid(opening)
