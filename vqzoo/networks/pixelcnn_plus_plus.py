"""PixelCNN++: a causal network that looks at its map at several resolutions."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.shifted_conv import ShiftedConv2D
from vqzoo.layers.shifted_residual_block import KERNEL_SIZES, ShiftedResidualBlock
from vqzoo.networks.code_vectors import code_embedding, map_vectors
from vqzoo.networks.stacked_network import parts


@keras.saving.register_keras_serializable(package="vqzoo")
class PixelCNNPlusPlus(keras.Model):
    """Logits of each code given those before it in raster order, seen from near and from afar.

    Sections 2.3 to 2.5 of [PixelCNN++](https://arxiv.org/abs/1701.05517) over codes, as in the
    discrete VAEs of arXiv:2005.10132: an embedding of the codes, two stacks that begin strictly
    before the current code, `num_blocks` residual blocks at each resolution on the way down, the
    same on the way up and one more after each doubling, all of which hear the stacks of the way
    down, the last made first; then elu and the logits. Any height and width will do: a strided
    convolution ends with the last row and column, and what a doubling has too many is cut off.

    Departures: no weight normalisation (see `ShiftedResidualBlock`), and no channel of ones to mark
    the padding, since the vectors of the codes may have one.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding.
        num_blocks: int, residual blocks of a resolution, once down and once up.
        num_downsamplings: int, 0 to 2, how often the resolution is halved.
        dropout: float in [0, 1), see `ShiftedResidualBlock`.
        condition_channels: int or `None`, channels of a feature map to condition on; at the lower
            resolutions its means over 2 x 2 and 4 x 4 positions.
        name: str.

    Call arguments:
        codes: int tensor `(batch, height, width)` in `[0, num_embeddings)`, or float weights of the
            codes `(batch, height, width, num_embeddings)` that sum to 1.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is.

    Returns:
        float32 logits `(batch, height, width, num_embeddings)`.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        num_embeddings,
        num_classes=None,
        filters=64,
        num_blocks=3,
        num_downsamplings=2,
        dropout=0.0,
        condition_channels=None,
        name="pixelcnn_plus_plus",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        checked_int(num_blocks, "num_blocks")
        checked_int(num_downsamplings, "num_downsamplings", 0, 2)
        self.embedding = code_embedding(num_embeddings, filters, self.dtype_policy)
        self.num_embeddings, self.filters = self.embedding.input_dim, self.embedding.output_dim
        self.num_classes, self.condition_channels = num_classes, condition_channels
        self.num_blocks, self.num_downsamplings = num_blocks, num_downsamplings
        self.dropout = dropout
        # Here and not in `build`: a model whose `build` was not called before loading would keep
        # its random weights and say nothing.
        self._make_stem(filters)
        self._make_blocks()
        self._make_strided()
        # The softmax needs float32 whatever the policy.
        self.to_logits = keras.layers.Dense(num_embeddings, name="logits", dtype="float32")
        self.to_logits.build((None, filters))
        self.built = True

    def _make_stem(self, channels):
        windows = {"above": ((2, 3), "vertical"), "row_above": ((1, 3), "vertical")}
        windows["left"] = (2, 1), "horizontal"
        self.stem = {
            name: self._built(ShiftedConv2D, f"stem_{name}", *window, first=True, channels=channels)
            for name, window in windows.items()
        }

    def _make_blocks(self):
        options = {"num_classes": self.num_classes, "dropout": self.dropout}
        options["condition_channels"] = self.condition_channels

        def blocks(name, count, with_skips):
            return [
                self._built(ShiftedResidualBlock, f"{name}_{index}", with_skips, **options)
                for index in range(count)
            ]

        count = self.num_blocks * (self.num_downsamplings + 1)
        self.down_blocks = blocks("down", count, False)
        self.up_blocks = blocks("up", count + self.num_downsamplings, True)

    def _make_strided(self):
        self.halvings, self.doublings = [], []
        for stage in range(self.num_downsamplings):
            for stack, size in KERNEL_SIZES.items():
                place = f"{stage}_{stack}"
                halve = self._built(ShiftedConv2D, f"halve_{place}", size, stack, strides=2)
                self.halvings.append(halve)
                double = keras.layers.Conv2DTranspose
                self.doublings.append(self._built(double, f"double_{place}", size, 2))

    def _built(self, layer_class, name, *arguments, channels=None, **options):
        options = {"name": name, "dtype": self.dtype_policy, **options}
        layer = layer_class(self.filters, *arguments, **options)
        layer.build((None, None, None, channels or self.filters))
        return layer

    def call(self, codes, condition=None, training=None):
        """Logits of every position at once."""
        vectors = map_vectors(self.embedding, codes)
        return self.to_logits(self._trunk(vectors, condition, training))

    def _trunk(self, x, condition, training):
        """What the last layer is told, `(batch, height, width, filters)`, strictly causal."""
        given = self._conditions(condition)
        down, up = iter(self.down_blocks), iter(self.up_blocks)
        stem = self.stem
        stacks = stem["above"](x), stem["row_above"](x) + stem["left"](x)
        saved = [stacks]
        for stage in range(self.num_downsamplings + 1):
            if stage:
                layers = self.halvings[2 * stage - 2 : 2 * stage]
                stacks = tuple(layer(stack) for layer, stack in zip(layers, stacks))
                saved.append(stacks)
            for _ in range(self.num_blocks):
                stacks = next(down)(stacks, None, *given[stage], training=training)
                saved.append(stacks)
        stacks = saved.pop()
        for stage in reversed(range(self.num_downsamplings + 1)):
            coarsest = stage == self.num_downsamplings
            if not coarsest:
                stacks = self._doubled(stage, stacks, saved[-1])
            for _ in range(self.num_blocks + (not coarsest)):
                stacks = next(up)(stacks, saved.pop(), *given[stage], training=training)
        return ops.elu(stacks[1])

    def _doubled(self, stage, stacks, like):
        """Both stacks at twice the resolution, cut to the sides of `like`."""
        height, width = ops.shape(like[0])[1:3]
        layers = self.doublings[2 * stage : 2 * stage + 2]
        vertical, horizontal = (layer(stack) for layer, stack in zip(layers, stacks))
        # Of three columns the middle one belongs to the position itself: one lies left of the map.
        return vertical[:, :height, 1 : width + 1], horizontal[:, :height, :width]

    def _conditions(self, condition):
        """Labels and features of each resolution."""
        labels, features = parts(condition)
        given = [(labels, features)]
        for _ in range(self.num_downsamplings):
            if features is not None:
                features = ops.average_pool(features, 2, padding="same")
            given.append((labels, features))
        return given

    def initial_state(self, batch_size, height, width, condition=None):
        """The map before the first row: sampling computes it anew for each position."""
        codes = ops.zeros((batch_size, height, width), "int32")
        return {"row": ops.full((), -1, "int32"), "codes": codes, "condition": condition or {}}

    def start_row(self, state, above):
        """The state of the next row, and its columns."""
        columns = ops.arange(above.shape[0], dtype="int32")
        return {**state, "row": state["row"] + 1}, columns

    def step(self, state, column, previous):
        """The state with the code `previous` `(batch,)` in it, and the logits of the next one."""
        height, width = state["codes"].shape[1:]
        place = state["row"] * width + column
        order = ops.reshape(ops.arange(height * width, dtype="int32"), (height, width))
        codes = ops.where(order == place - 1, previous[:, None, None], state["codes"])
        logits = self(codes, state["condition"] or None)
        row = ops.take(logits, state["row"], axis=1)
        return {**state, "codes": codes}, ops.take(row, column, axis=1)

    def get_config(self):
        """Constructor arguments."""
        arguments = ("num_embeddings", "num_classes", "filters", "num_blocks")
        arguments += ("num_downsamplings", "dropout", "condition_channels")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
