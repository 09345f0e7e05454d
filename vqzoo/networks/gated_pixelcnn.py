"""Gated PixelCNN: an autoregressive network over maps of codes."""

import keras
from keras import ops

from vqzoo.checks import check_ints, checked_int, shown
from vqzoo.layers.gated_masked_conv import GatedMaskedConv, checked_window


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedPixelCNN(keras.Model):
    """Logits of each code given those before it in raster order.

    Section 2 of
    [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328): an
    embedding of the codes, a `GatedMaskedConv` that hides the current code, `num_layers - 1`
    residual ones that do not, and two dense layers on the horizontal stack. All weights exist
    from construction on. Any height and width will do.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding.
        num_layers: int, gated layers, the first included.
        kernel_size: odd int, window of the layers after the first.
        first_kernel_size: odd int, window of the first layer.
        head_filters: int, width of the dense layer before the logits.
        condition_channels: int or `None`, channels of a feature map to condition on.
        dropout: float in [0, 1), see `GatedMaskedConv`.
        name: str.

    Call arguments:
        codes: int tensor `(batch, height, width)` in `[0, num_embeddings)`.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is.

    Returns:
        float32 logits `(batch, height, width, num_embeddings)`.

    Raises:
        ValueError: if `num_embeddings` or `num_layers` is below 1, and as `GatedMaskedConv` does.
    """

    def __init__(
        self,
        num_embeddings,
        num_classes=None,
        filters=64,
        num_layers=12,
        kernel_size=3,
        first_kernel_size=7,
        head_filters=512,
        condition_channels=None,
        dropout=0.0,
        name="gated_pixelcnn",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        check_ints(filters=filters)  # before an embedding is made of it
        self.num_embeddings = checked_int(num_embeddings, "num_embeddings")
        self.num_layers = checked_int(num_layers, "num_layers")
        self.head_filters = checked_int(head_filters, "head_filters")
        self.num_classes, self.filters, self.kernel_size = num_classes, filters, kernel_size
        self.first_kernel_size = checked_window(first_kernel_size, "first_kernel_size")
        self.condition_channels, self.dropout = condition_channels, dropout
        self._make_layers()

    def _make_layers(self):
        dtype = self.dtype_policy
        # Keras' default lies within 0.05 of 0: all codes would look alike to the first layer.
        unit_normal = keras.initializers.RandomNormal(stddev=1.0)
        self.embedding = keras.layers.Embedding(
            self.num_embeddings, self.filters, unit_normal, name="embedding", dtype=dtype
        )
        self.gated_layers = []
        for index in range(self.num_layers):
            layer = GatedMaskedConv(
                self.filters,
                self.kernel_size if index else self.first_kernel_size,
                first=not index,
                residual=bool(index),
                num_classes=self.num_classes,
                condition_channels=self.condition_channels,
                dropout=self.dropout,
                name=f"gated_{index}",
                dtype=dtype,
            )
            self.gated_layers.append(layer)
        self.head = keras.layers.Dense(
            self.head_filters, activation="relu", name="head", dtype=dtype
        )
        # The softmax needs float32 whatever the policy.
        self.to_logits = keras.layers.Dense(self.num_embeddings, name="logits", dtype="float32")
        # Made here and not in `build`: a model whose `build` was not called before loading would
        # keep its random weights and say nothing.
        self.embedding.build((None, None, None))
        for layer in self.gated_layers:
            layer.build([(None, None, None, self.filters)] * 2)
        self.head.build((None, self.filters))
        self.to_logits.build((None, self.head_filters))
        self.built = True

    def call(self, codes, condition=None, training=None):
        """Logits of every position at once."""
        condition = condition or {}
        labels, features = condition.get("labels"), condition.get("features")
        if len(codes.shape) != 3 or not keras.backend.is_int_dtype(codes.dtype):
            raise ValueError(
                f"`codes` must be ints (batch, height, width). Received: {shown(codes)}"
            )
        # Both stacks begin with the codes themselves; the first layer hides the current one.
        stacks = (self.embedding(codes),) * 2
        for layer in self.gated_layers:
            stacks = layer(stacks, labels=labels, features=features, training=training)
        # The horizontal stack has heard the vertical one in each layer: it knows all of the past.
        return self.to_logits(self.head(stacks[1]))

    def initial_state(self, batch_size, height, width, condition=None):
        """The caches before the first row.

        Args:
            batch_size, height, width: int.
            condition: as for a call.

        Returns:
            A dict for `start_row`: of each layer the rows above that its vertical stack still
            needs, the columns to the left that its horizontal stack does, and its condition.
        """
        condition = condition or {}
        labels, features = condition.get("labels"), condition.get("features")
        conditions = [layer.condition(labels, features) for layer in self.gated_layers]
        # Row and column first: the loops take an entry of them along the first axis.
        conditions = [ops.transpose(c, (1, 2, 0, 3)) for c in conditions if c is not None]
        shape = (width, batch_size, self.filters)
        return {
            "row": ops.zeros((), "int32"),
            "conditions": conditions,
            "vertical": [ops.zeros((layer.taps - 1, *shape)) for layer in self.gated_layers],
            "horizontal": self._no_columns(batch_size),
            "matrices": [layer.horizontal_matrix() for layer in self.gated_layers],
        }

    def _no_columns(self, batch_size):
        sizes = [(layer.taps - 1) * 2 * self.filters for layer in self.gated_layers]
        return [ops.zeros((batch_size, size)) for size in sizes]

    def start_row(self, state, above):
        """Computes the row of all vertical stacks.

        Args:
            state: from `initial_state` or the last `step`.
            above: int tensor `(width, batch)`, codes of the row before, -1 above the first.

        Returns:
            The state, and the inputs of `step` with a leading axis `width`.
        """
        x = self._embed(above)
        vertical, to_horizontal = [], []
        for index, layer in enumerate(self.gated_layers):
            rows = ops.concatenate([state["vertical"][index], x[None]])
            vertical.append(rows[1:])
            x, added = layer.vertical_row(rows, self._row_condition(state, index))
            to_horizontal.append(added)
        is_first = ops.arange(above.shape[0], dtype="int32") == 0
        caches = {"vertical": vertical, "horizontal": self._no_columns(ops.shape(above)[1])}
        columns = {"from_vertical": to_horizontal, "is_first": is_first}
        return {**state, **caches, "row": state["row"] + 1}, columns

    def _row_condition(self, state, index):
        if not state["conditions"]:
            return None
        condition = state["conditions"][index]
        # A class has one row of conditions for all rows of the map, features one for each.
        return ops.take(condition, ops.minimum(state["row"], condition.shape[0] - 1), axis=0)

    def step(self, state, column, previous):
        """Logits of the next position.

        Args:
            state: from `start_row` or the last `step`.
            column: this column's entry of what `start_row` returned.
            previous: int tensor `(batch,)`, the code before in raster order.

        Returns:
            The state, and float32 logits `(batch, num_embeddings)`.
        """
        x = self._embed(ops.where(column["is_first"], -1, previous))
        horizontal = []
        for index, layer in enumerate(self.gated_layers):
            pending, matrix = state["horizontal"][index], state["matrices"][index]
            x, pending = layer.horizontal_step(x, pending, column["from_vertical"][index], matrix)
            horizontal.append(pending)
        hidden = ops.relu(ops.matmul(x, self.head.kernel) + self.head.bias)
        logits = ops.matmul(hidden, self.to_logits.kernel) + self.to_logits.bias
        return {**state, "horizontal": horizontal}, logits

    def _embed(self, codes):
        """Vectors of the codes, zeros for -1: what padding is to the convolutions."""
        vectors = ops.take(self.embedding.embeddings, ops.maximum(codes, 0), axis=0)
        return ops.where((codes >= 0)[..., None], vectors, 0.0)

    def get_config(self):
        """Constructor arguments."""
        arguments = ("num_embeddings", "num_classes", "filters", "num_layers", "kernel_size")
        arguments += ("first_kernel_size", "head_filters", "condition_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
