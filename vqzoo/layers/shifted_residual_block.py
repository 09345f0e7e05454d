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

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "with_skips": self.with_skips}


def concat_elu(x):
    """elu of x and of -x, one after the other: `(..., channels)` to `(..., 2 * channels)`.

    The released code's activation, after arXiv:1603.05201, which does so with relu.
    """
    return ops.elu(ops.concatenate([x, -x], axis=-1))
