"""Causal self-attention: each position of a map hears all those before it, however far."""

import math

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_int
from vqzoo.layers.gated_stacks import checked_share
from vqzoo.layers.map_checks import check_map

_UNHEARD = -1e30
"""The score of what may not be heard; finite, so that no gradient is NaN."""

_LOWEST = -1e20
"""Below any real score, and so far above `_UNHEARD` that the exponential of their gap is 0."""


@keras.saving.register_keras_serializable(package="vqzoo")
class CausalSelfAttention(keras.layers.Layer):
    """Multi-head attention over the positions of a map in raster order.

    Section 3.2 of [Attention Is All You Need](https://arxiv.org/abs/1706.03762), the mask as in
    PixelSNAIL (arXiv:1712.09763). For each head, with dense maps of the inputs,

        output(i) = sum over visible j of softmax_j(query(i) . key(j) / sqrt(key_dim)) value(j)

    Position i sees j < i, with `include_current` also i itself. Without, keys and values may hold
    what is to be predicted at their own position, and queries may not; and the first position
    sees nothing: its output is 0. The softmax is float32 under lower precision. A call
    holds `num_heads * (height * width)**2` scores an image; `step` never does.

    Args:
        num_heads: int.
        key_dim: int, channels of a head's queries and keys.
        value_dim: int, channels of a head's values.
        include_current: bool, whether a position hears itself.
        dropout: float in [0, 1), share of the scores that training sets to 0, as Section 3.2 of
            arXiv:1906.00446 has it ("dropout on the logits").

    Call arguments:
        queries: float tensor `(batch, height, width, query_channels)`.
        memory: float tensor `(batch, height, width, memory_channels)`, for keys and values.

    Returns:
        Tensor `(batch, height, width, num_heads * value_dim)` in the compute dtype.

    Raises:
        ValueError: if an argument is outside its range, or an input is no such map.
    """

    def __init__(
        self, num_heads, key_dim, value_dim, include_current=False, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_heads = checked_int(num_heads, "num_heads")
        self.key_dim = checked_int(key_dim, "key_dim")
        self.value_dim = checked_int(value_dim, "value_dim")
        self.include_current = checked_bool(include_current, "include_current")
        self.dropout = checked_share(dropout, "dropout")
        exact = keras.backend.result_type(self.compute_dtype, "float32")
        self.drop = keras.layers.Dropout(dropout, dtype=exact)

    def build(self, queries_shape, memory_shape):
        """Makes all weights."""
        self._channels = queries_shape[-1], memory_shape[-1]
        shapes = {
            "query": (self._channels[0], self.num_heads * self.key_dim),
            "key": (self._channels[1], self.num_heads * self.key_dim),
            "value": (self._channels[1], self.num_heads * self.value_dim),
        }
        for name, shape in shapes.items():
            setattr(self, f"{name}_kernel", self.add_weight(shape, name=f"{name}_kernel"))
            bias = self.add_weight(shape[1:], "zeros", name=f"{name}_bias")
            setattr(self, f"{name}_bias", bias)
        self.built = True

    def call(self, queries, memory, training=None):
        """What every position hears."""
        check_map(queries, self._channels[0], "queries")
        check_map(memory, self._channels[1], "memory")
        batch, height, width = ops.shape(queries)[:3]
        query, key, value = (
            ops.reshape(x, (batch, height * width, self.num_heads, -1))
            for x in (self._queries(queries), *self._keys_and_values(memory))
        )
        scores = ops.cast(ops.einsum("bihd,bjhd->bhij", query, key), self.drop.compute_dtype)
        place = ops.arange(height * width)
        visible = place[None, :] < place[:, None] + self.include_current
        scores = ops.where(visible, self.drop(scores, training=training), _UNHEARD)
        weights = ops.cast(ops.softmax(scores, axis=-1), self.compute_dtype)
        heard = ops.einsum("bhij,bjhd->bihd", weights, value)
        # The softmax of a row in which nothing is visible is uniform: it is taken back here.
        hears = ops.cast(place + self.include_current > 0, heard.dtype)
        # The channels are named: in a graph with an open batch -1 would leave them open, too.
        channels = self.num_heads * self.value_dim
        return ops.reshape(heard * hears[:, None, None], (batch, height, width, channels))

    def _queries(self, inputs):
        queries = ops.matmul(inputs, self.query_kernel) + self.query_bias
        return queries / math.sqrt(self.key_dim)

    def _keys_and_values(self, inputs):
        keys = ops.matmul(inputs, self.key_kernel) + self.key_bias
        return keys, ops.matmul(inputs, self.value_kernel) + self.value_bias

    def no_memory(self, height, width, batch_size):
        """What `step` keeps, before the first position: keys and values of a map of that size."""
        # Positions of a row last: by far the quickest for the sums of `step` on a CPU.
        sizes = self.key_dim, self.value_dim
        shape = (batch_size, self.num_heads, width)
        return tuple(ops.zeros((height, size, *shape)) for size in sizes)

    def step(self, query, memory, kept, row, column):
        """What one position hears, in float32. Reads the rows up to its own and no others.

        Args:
            query: float tensor `(batch, query_channels)`.
            memory: float tensor `(batch, memory_channels)`: of the position itself with
                `include_current`, else of the one before; anything at the first position.
            kept: from `no_memory` or the position before.
            row, column: int32 scalars, the position.

        Returns:
            `kept` for the next position, and a tensor `(batch, num_heads * value_dim)`.
        """
        batch = ops.shape(query)[0]
        keys, values = kept
        width = keys.shape[-1]
        columns, heads = ops.arange(width, dtype="int32"), (batch, self.num_heads, -1)
        query, key, value = (
            ops.transpose(ops.reshape(x, heads), (2, 0, 1))[..., None]
            for x in (self._queries(query), *self._keys_and_values(memory))
        )

        def put(kept, entry):
            in_row = ops.where(columns == column, entry, ops.take(kept, row, axis=0))
            return ops.scatter_update(kept, ops.reshape(row, (1, 1)), in_row[None])

        keys, values = put(keys, key), put(values, value)
        last = row * width + column

        def hear_row(index, heard):
            place = index * width + columns
            # Without the position itself all that is kept lies one place later; place 0 is empty.
            visible = (place <= last) & (place + self.include_current > 0)
            scores = ops.sum(query * ops.take(keys, index, axis=0), axis=0)
            scores = ops.where(visible, scores, _UNHEARD)
            return _hear(heard, scores, ops.take(values, index, axis=0))

        nothing = ops.zeros((batch, self.num_heads))
        heard = (nothing + _LOWEST, nothing, ops.zeros((self.value_dim, batch, self.num_heads)))
        _, total, output = ops.fori_loop(0, row + 1, hear_row, heard)
        # The best score has weight 1: the total is below that only where nothing was visible.
        output = ops.transpose(output / ops.maximum(total, 1.0), (1, 2, 0))
        return (keys, values), ops.reshape(output, (batch, -1))

    def compute_output_shape(self, queries_shape, memory_shape):
        """Shape of the output."""
        return (*queries_shape[:-1], self.num_heads * self.value_dim)

    def get_config(self):
        """Constructor arguments."""
        arguments = ("num_heads", "key_dim", "value_dim", "include_current", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def _hear(heard, scores, values):
    """Adds some positions to a softmax-weighted sum; Algorithm 3 of arXiv:1805.02867.

    `heard` is the best score so far and the total of the weights relative to it, `(batch, heads)`,
    and the sum of values by these weights, `(channels, batch, heads)`. Scores are `(batch, heads,
    positions)`, values `(channels, batch, heads, positions)`.
    """
    best, total, output = heard
    new_best = ops.maximum(best, ops.max(scores, axis=-1))
    weights, shrunk = ops.exp(scores - new_best[..., None]), ops.exp(best - new_best)
    total = total * shrunk + ops.sum(weights, axis=-1)
    return new_best, total, output * shrunk + ops.sum(weights * values, axis=-1)
