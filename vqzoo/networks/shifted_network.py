"""What the PixelCNN++ over codes and the one over pixels share."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.shifted_conv import STACKS, ShiftedConv2D, ShiftedConv2DTranspose
from vqzoo.layers.shifted_residual_block import KERNEL_SIZES, ShiftedResidualBlock
from vqzoo.networks.shifted_stage import ShiftedStage
from vqzoo.networks.stacked_network import dense, parts


class ShiftedNetwork(keras.Model):
    """Base of causal networks of two shifted stacks that look at a map at several resolutions.

    Sections 2.3 to 2.5 of [PixelCNN++](https://arxiv.org/abs/1701.05517): two stacks that begin
    strictly before the current position, `num_blocks` residual blocks at each resolution on the way
    down, the same on the way up and one more after each doubling, all of which hear the stacks of
    the way down, the last made first; then elu and a dense layer. Any height and width will do: a
    strided convolution ends with the last row and column, and what a doubling has too many is cut
    off. All weights exist from construction on, since a subclass calls `_make_layers` there.

    A subclass gives `_vectors`, which turns values, -1 for those outside of the map, to what the
    stacks begin with.

    Args:
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks.
        num_blocks: int, residual blocks of a resolution, once down and once up.
        num_downsamplings: int, 0 to 2, how often the resolution is halved.
        dropout: float in [0, 1), see `ShiftedResidualBlock`.
        condition_channels: int or `None`, channels of a feature map to condition on; at the lower
            resolutions its means over 2 x 2 and 4 x 4 positions.
    """

    def __init__(
        self,
        num_classes,
        filters,
        num_blocks,
        num_downsamplings,
        dropout,
        condition_channels,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.dropout = checked_int(filters, "filters"), dropout
        self.num_blocks = checked_int(num_blocks, "num_blocks")
        self.num_downsamplings = checked_int(num_downsamplings, "num_downsamplings", 0, 2)
        self.num_classes, self.condition_channels = num_classes, condition_channels

    def _make_layers(self, channels, num_outputs, head):
        """All layers; `channels` is what `_vectors` gives, `head` the name of the last layer."""
        windows = {"above": ((2, 3), "vertical"), "row_above": ((1, 3), "vertical")}
        windows["left"] = (2, 1), "horizontal"
        self.stem = {
            name: self._built(ShiftedConv2D, f"stem_{name}", *window, first=True, channels=channels)
            for name, window in windows.items()
        }
        count = self.num_blocks * (self.num_downsamplings + 1)
        self.down_blocks = self._blocks("down", count, False)
        self.up_blocks = self._blocks("up", count + self.num_downsamplings, True)
        self.halvings, self.doublings = [], []
        for stage in range(self.num_downsamplings):
            for stack in STACKS:
                window, place = (KERNEL_SIZES[stack], stack), f"{stage}_{stack}"
                halving = self._built(ShiftedConv2D, f"halve_{place}", *window, strides=2)
                self.halvings.append(halving)
                doubling = self._built(ShiftedConv2DTranspose, f"double_{place}", stack)
                self.doublings.append(doubling)
        # What a likelihood is computed from needs float32 whatever the policy.
        self.head = keras.layers.Dense(num_outputs, name=head, dtype="float32")
        self.head.build((None, self.filters))
        self._stage = self._stages()
        self.built = True

    def _blocks(self, name, count, with_skips):
        options = {"num_classes": self.num_classes, "dropout": self.dropout}
        options["condition_channels"] = self.condition_channels
        return [
            self._built(ShiftedResidualBlock, f"{name}_{index}", with_skips, **options)
            for index in range(count)
        ]

    def _built(self, layer_class, name, *arguments, channels=None, **options):
        # Built here and not in `build`: a model whose `build` was not called before loading would
        # keep its random weights and say nothing.
        options = {"name": name, "dtype": self.dtype_policy, **options}
        layer = layer_class(self.filters, *arguments, **options)
        layer.build((None, None, None, channels or self.filters))
        return layer

    def _stages(self):
        """The layers as nested stages; the coarsest has the last of `down`, the first of `up`."""
        stage, up = None, list(self.up_blocks)
        for index in reversed(range(self.num_downsamplings + 1)):
            down = self.down_blocks[index * self.num_blocks : (index + 1) * self.num_blocks]
            count = self.num_blocks + (stage is not None)
            mine, up = up[:count], up[count:]
            pair = slice(2 * index, 2 * index + 2)
            halving, doubling = (
                dict(zip(STACKS, layers[pair])) for layers in (self.halvings, self.doublings)
            )
            stage = ShiftedStage(down, mine, halving, doubling, stage)
        return stage

    def _outputs(self, x, condition, training):
        """Float32 outputs of every position, from vectors `(batch, height, width, channels)`."""
        stem = self.stem
        stacks = stem["above"](x), stem["row_above"](x) + stem["left"](x)
        return self.head(ops.elu(self._stage(stacks, *parts(condition), training)[1]))

    def initial_state(self, batch_size, height, width, condition=None):
        """The caches before the first row.

        Args:
            batch_size, height, width: int.
            condition: as for a call.

        Returns:
            A dict for `start_row`.
        """
        channels, stage = self.stem["above"].kernel.shape[2], self._stage
        return {
            "row": ops.full((), -1, "int32"),
            "above": ops.zeros((2, width, batch_size, channels)),
            "fixed": stage.fixed(*parts(condition)),
            "rows": stage.no_rows(batch_size, width),
            "positions": stage.no_positions(batch_size, width),
        }

    def start_row(self, state, above):
        """Computes the row of the vertical stack, and of the coarser ones in every second row.

        Args:
            state: from `initial_state` or the last `step`.
            above: int tensor `(width, batch, ...)`, values of the row before, -1 above the first.

        Returns:
            The state, and the inputs of `step` with a leading axis `width`.
        """
        row, stem = state["row"] + 1, self.stem
        two = ops.concatenate([state["above"][1:], self._vectors(above)[None]])
        states = state["fixed"], state["rows"], state["positions"]
        rows, _ = self._stage.start_row(*states, row, stem["above"].row(two))
        left = stem["row_above"].row(two[1:]) + stem["left"].row(two[1:])
        columns = {"from_above": left, "column": ops.arange(above.shape[0], dtype="int32")}
        return {**state, "row": row, "above": two, "rows": rows}, columns

    def step(self, state, column, previous):
        """Outputs of the next position.

        Args:
            state: from `start_row` or the last `step`.
            column: this column's entry of what `start_row` returned.
            previous: int tensor `(batch, ...)`, the value before in raster order.

        Returns:
            The state, and float32 outputs `(batch, outputs)`.
        """
        place = column["column"]
        before = self._vectors(ops.where(place == 0, -1, previous))
        x = column["from_above"] + ops.matmul(before, self.stem["left"].kernel[1, 0])
        states = state["fixed"], state["rows"], state["positions"]
        found, x = self._stage.step(*states, state["row"], place, x)
        positions = self._stage.written(state["positions"], found, place)
        return {**state, "positions": positions}, dense(self.head, ops.elu(x))

    def get_config(self):
        """Constructor arguments that both networks have."""
        arguments = ("num_classes", "filters", "num_blocks", "num_downsamplings", "dropout")
        arguments += ("condition_channels",)
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
