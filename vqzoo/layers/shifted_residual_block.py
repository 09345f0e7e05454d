"""Gated residual block of shifted convolutions on a vertical and a horizontal stack."""

import keras
from keras import ops

from vqzoo.checks import checked_bool
from vqzoo.layers.gated_conv_block import small_start
from vqzoo.layers.gated_stacks import GatedStacks, channels_of
from vqzoo.layers.map_checks import check_map
from vqzoo.layers.shifted_conv import ShiftedConv2D

KERNEL_SIZES = {"vertical": (2, 3), "horizontal": (2, 2)}
"""Rows and columns of the windows, Figure 2 of arXiv:1701.05517."""


@keras.saving.register_keras_serializable(package="vqzoo")
class ShiftedResidualBlock(GatedStacks):
    """Gated residual block of [PixelCNN++](https://arxiv.org/abs/1701.05517) on two stacks.

    Sections 2.3 to 2.5, with the block of the released code. Maps a pair (vertical, horizontal) of
    `(batch, height, width, filters)` to such a pair; f is `concat_elu`:

        vertical'   = vertical + change(conv(f(vertical)) [+ dense(f(vertical skip))])
        horizontal' = horizontal + change(conv(f(horizontal)) + dense(f(vertical'))
                                          [+ dense(f(horizontal skip))])
        change(u)   = p * sigmoid(q), p and q halves of conv(dropout(f(u))) + c

    Convolutions are `ShiftedConv2D` of 2 x 3 in the vertical stack and 2 x 2 in the horizontal one;
    c holds what class and features add. Inputs must hold strictly earlier pixels only.

    The paper's weight normalisation and its start from the first batch are left out: a start that
    depends on data has no place in a layer that is rebuilt from its configuration, and the second
    convolution begins small instead, so that a deep stack starts close to the identity.

    Args:
        filters: int, channels of each stack.
        with_skips: bool, whether both stacks hear an earlier pair of stacks too.
        num_classes: int or `None`; a number gives each class a vector that is added to both gates.
        condition_channels: int or `None`, channels of a feature map that is added to both gates.
        dropout: float in [0, 1), share of the values between the convolutions that training drops.

    Call arguments:
        stacks: pair of float tensors, vertical and horizontal stack.
        skips: pair of the same shapes, with `with_skips`.
        labels: int tensor `(batch,)`, with `num_classes`.
        features: float tensor `(batch, height, width, condition_channels)`, with that argument.

    Raises:
        ValueError: if an argument is outside its range, or skips or a condition are missing.
    """

    def __init__(self, filters, with_skips=False, **kwargs):
        super().__init__(filters, **kwargs)
        self.with_skips = checked_bool(with_skips, "with_skips")
        self.inner, self.outer, self.from_skip = {}, {}, {}
        for stack, kernel_size in KERNEL_SIZES.items():
            place = kernel_size, stack
            self.inner[stack] = self._conv(f"{stack}_inner", filters, *place)
            start = {"kernel_initializer": small_start()}
            self.outer[stack] = self._conv(f"{stack}_outer", 2 * filters, *place, **start)
            if with_skips:
                self.from_skip[stack] = self._dense(f"{stack}_skip")
        self.from_vertical = self._dense("vertical_to_horizontal")

    def _conv(self, name, filters, *place, **options):
        return ShiftedConv2D(filters, *place, dtype=self.dtype_policy, name=name, **options)

    def _dense(self, name):
        options = {"use_bias": False, "dtype": self.dtype_policy, "name": name}
        return keras.layers.Dense(self.filters, **options)

    def build(self, stacks_shape):
        """Makes all weights; `stacks_shape` is the pair of shapes, or that of one stack."""
        if channels_of(stacks_shape) != self.filters:
            raise ValueError(
                f"`filters` must equal the input's channels. "
                f"Received: filters={self.filters}, channels={channels_of(stacks_shape)}"
            )
        doubled = (None, None, None, 2 * self.filters)
        parts = (*self.inner.values(), *self.outer.values(), *self.from_skip.values())
        for layer in (*parts, self.from_vertical):
            layer.build(doubled)
        self._make_features_kernel()
        self._make_class_vectors()
        self.built = True

    def call(self, stacks, skips=None, labels=None, features=None, training=None):
        """Both stacks of the next block, in the compute dtype."""
        if (skips is None) == self.with_skips:
            state = "must be given" if skips is None else "must be None"
            raise ValueError(f"`skips` {state} for this block. Received: {skips}")
        for stack in stacks:
            check_map(stack, self.filters, "stacks")
        condition, skips = self.condition(labels, features), skips or (None, None)
        vertical = self._next("vertical", stacks[0], skips[0], None, condition, training)
        heard = self.from_vertical(concat_elu(vertical))
        return vertical, self._next("horizontal", stacks[1], skips[1], heard, condition, training)

    def _next(self, stack, x, skip, heard, condition, training):
        hidden = self.inner[stack](concat_elu(x))
        if heard is not None:
            hidden = hidden + heard
        if skip is not None:
            hidden = hidden + self.from_skip[stack](concat_elu(skip))
        gates = self.outer[stack](self.drop(concat_elu(hidden), training=training))
        return x + ops.glu(gates if condition is None else gates + condition, axis=-1)

    def vertical_row(self, above, x, skip=None, condition=None):
        """One row of the vertical stack, in float32.

        Args:
            above: pair of tensors `(width, batch, 2 * filters)`: what both convolutions heard in
                the row before, zeros at the first one.
            x: float tensor `(width, batch, filters)`, the row itself.
            skip: of that shape, with `with_skips`.
            condition: `None` or of a shape that broadcasts to the gates.

        Returns:
            `above` for the next row, and the next block's row `(width, batch, filters)`.
        """
        heard = concat_elu(x)
        hidden = self.inner["vertical"].row(ops.stack([above[0], heard]))
        if skip is not None:
            hidden = hidden + _product(self.from_skip["vertical"], skip)
        kept = heard, concat_elu(hidden)
        gates = self.outer["vertical"].row(ops.stack([above[1], kept[1]]))
        return kept, x + ops.glu(gates if condition is None else gates + condition, axis=-1)

    def horizontal_row(self, recorded, vertical, condition=None):
        """What the horizontal stack of a row hears from elsewhere, in float32.

        Args:
            recorded: float tensor `(width, batch, 2 * filters)`, what `horizontal_step` recorded at
                the positions of the row before, zeros at the first one.
            vertical: float tensor `(width, batch, filters)`, this row of the vertical stack after
                the block.
            condition: as for `vertical_row`.

        Returns:
            float32 `(width, batch, 3 * filters)`: added to the hidden channels and to the gates.
        """
        above = [concat_elu(x)[None] for x in ops.split(recorded, 2, axis=-1)]
        hidden = self.inner["horizontal"].row(above[0]) + _product(self.from_vertical, vertical)
        gates = self.outer["horizontal"].row(above[1])
        gates = gates if condition is None else gates + condition
        return ops.concatenate([hidden, gates], axis=-1)

    def horizontal_step(self, x, skip, waiting, matrices):
        """One position of the horizontal stack, in float32.

        Args:
            x: float tensor `(batch, filters)`, the position itself.
            skip: of that shape, with `with_skips`, else None.
            waiting: float tensor `(batch, 3 * filters)`: this column of what `horizontal_row`
                returned plus what the position before left, zeros at the first one.
            matrices: from `horizontal_matrices`.

        Returns:
            What this position leaves to the next; what the row below needs of it, `(batch,
            2 * filters)`; and the next block's position `(batch, filters)`.
        """
        filters = self.filters
        inner = ops.matmul(concat_elu(x), matrices[0])
        hidden = inner[:, :filters] + waiting[:, :filters]
        if skip is not None:
            hidden = hidden + _product(self.from_skip["horizontal"], skip)
        outer = ops.matmul(concat_elu(hidden), matrices[1])
        gates = outer[:, : 2 * filters] + waiting[:, filters:]
        left = ops.concatenate([inner[:, filters:], outer[:, 2 * filters :]], axis=-1)
        record = ops.concatenate([x, hidden], axis=-1)
        return left, record, x + ops.glu(gates, axis=-1)

    def horizontal_matrices(self):
        """Both kernels of the horizontal stack as `horizontal_step` takes them."""
        return [kind["horizontal"].last_row_matrix() for kind in (self.inner, self.outer)]

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "with_skips": self.with_skips}


def _product(layer, x):
    """A dense layer without bias on `concat_elu(x)`, in float32 whatever its policy."""
    return ops.matmul(concat_elu(x), layer.kernel)


def concat_elu(x):
    """elu of x and of -x, one after the other: `(..., channels)` to `(..., 2 * channels)`.

    The released code's activation, after arXiv:1603.05201, which does so with relu.
    """
    return ops.elu(ops.concatenate([x, -x], axis=-1))
