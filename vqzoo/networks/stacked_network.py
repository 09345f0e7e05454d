"""What the causal networks of a vertical and a horizontal stack share."""

import keras
from keras import ops

from vqzoo.networks.code_vectors import code_embedding, vectors


class StackedNetwork(keras.Model):
    """Base of causal networks whose layers are `CausalStacks`.

    A subclass sets `gated_layers`, the first of which hides the current code. All weights exist
    from construction on. Any height and width will do.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding.
        condition_channels: int or `None`, channels of a feature map to condition on.
        dropout: float in [0, 1).
    """

    def __init__(
        self, num_embeddings, num_classes, filters, condition_channels, dropout, **kwargs
    ):
        super().__init__(**kwargs)
        self.embedding = code_embedding(num_embeddings, filters, self.dtype_policy)
        self.num_embeddings, self.filters = self.embedding.input_dim, self.embedding.output_dim
        self.num_classes, self.dropout = num_classes, dropout
        self.condition_channels = condition_channels

    def _gated(self, layer_class, index, *arguments, **options):
        """A built layer of `gated_layers`."""
        layer = layer_class(
            self.filters,
            *arguments,
            num_classes=self.num_classes,
            condition_channels=self.condition_channels,
            dropout=self.dropout,
            name=f"gated_{index}",
            dtype=self.dtype_policy,
            **options,
        )
        layer.build([(None, None, None, self.filters)] * 2)
        return layer

    def _logits_layer(self, channels):
        # The softmax needs float32 whatever the policy.
        layer = keras.layers.Dense(self.num_embeddings, name="logits", dtype="float32")
        layer.build((None, channels))
        return layer

    def initial_state(self, batch_size, height, width, condition=None):
        """The caches before the first row.

        Args:
            batch_size, height, width: int.
            condition: as for a call.

        Returns:
            A dict for `start_row`: of each layer the rows above that its vertical stack still
            needs, the columns to the left that its horizontal stack does, and its condition.
        """
        conditions = [layer.condition(*parts(condition)) for layer in self.gated_layers]
        # Row and column first: the loops take an entry of them along the first axis.
        conditions = [ops.transpose(c, (1, 2, 0, 3)) for c in conditions if c is not None]
        return {
            "row": ops.full((), -1, "int32"),
            "conditions": conditions,
            "vertical": [layer.no_rows(width, batch_size) for layer in self.gated_layers],
            "horizontal": [layer.no_columns(batch_size) for layer in self.gated_layers],
            "matrices": [layer.horizontal_matrix() for layer in self.gated_layers],
        }

    def start_row(self, state, above):
        """Computes the row of all vertical stacks.

        Args:
            state: from `initial_state` or the last `step`.
            above: int tensor `(width, batch)`, codes of the row before, -1 above the first.

        Returns:
            The state, and the inputs of `step` with a leading axis `width`.
        """
        x, row = self._vectors(above), state["row"] + 1
        vertical, to_horizontal = [], []
        for index, layer in enumerate(self.gated_layers):
            condition = row_of(state["conditions"][index], row) if state["conditions"] else None
            kept, x, added = layer.vertical_row(state["vertical"][index], x, condition)
            vertical.append(kept)
            to_horizontal.append(added)
        width, batch_size = ops.shape(above)
        horizontal = [layer.no_columns(batch_size) for layer in self.gated_layers]
        columns = {"from_vertical": to_horizontal, "column": ops.arange(width, dtype="int32")}
        return {**state, "row": row, "vertical": vertical, "horizontal": horizontal}, columns

    def step(self, state, column, previous):
        """Logits of the next position.

        Args:
            state: from `start_row` or the last `step`.
            column: this column's entry of what `start_row` returned.
            previous: int tensor `(batch,)`, the code before in raster order.

        Returns:
            The state, and float32 logits `(batch, num_embeddings)`.
        """
        state = {**state, "horizontal": list(state["horizontal"])}
        x = self._vectors(ops.where(column["column"] == 0, -1, previous))
        for index, layer in enumerate(self.gated_layers):
            pending, matrix = state["horizontal"][index], state["matrices"][index]
            added = column["from_vertical"][index]
            state["horizontal"][index], x = layer.horizontal_step(x, pending, added, matrix)
            state, x = self._after(index, state, x, column["column"], previous)
        return state, self._step_logits(x)

    def _after(self, index, state, x, column, previous):
        """What comes between the gated layer of that index and the next: here nothing."""
        return state, x

    def _vectors(self, codes):
        return vectors(self.embedding, codes)

    def get_config(self):
        """Constructor arguments that all such networks have."""
        arguments = ("num_embeddings", "num_classes", "filters", "condition_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def parts(condition):
    """Labels and features of a condition, each or both `None`."""
    condition = condition or {}
    return condition.get("labels"), condition.get("features")


def dense(layer, x):
    """A Keras dense layer in float32, without its activation, whatever its policy."""
    return ops.matmul(x, layer.kernel) + layer.bias


def row_of(condition, row):
    """The entry of a row, an int scalar, of conditions whose first axis is rows."""
    # A class has one row of conditions for all rows of the map, features one for each.
    return ops.take(condition, ops.minimum(row, condition.shape[0] - 1), axis=0)
