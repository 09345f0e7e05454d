"""One resolution of a PixelCNN++ with the coarser ones inside: all at once, or step by step."""

from keras import ops


class ShiftedStage:
    """Residual blocks, a look at half the resolution, and more blocks that hear the first ones.

    Figure 2 of [PixelCNN++](https://arxiv.org/abs/1701.05517). Holds layers that a network owns.
    Position `(i, j)` of the coarser stage is `(2 i, 2 j)` of this one: the coarser stage is
    computed there, and `(2 i, 2 j)` to `(2 i + 1, 2 j + 1)` hear it.

    The methods on rows and positions compute in float32. Their maps have the axes column, batch,
    channels; positions of the coarser stage are computed when this one arrives there.

    Args:
        down: list of `ShiftedResidualBlock`, those before the coarser stage.
        up: list of them with skips, those after it.
        halving, doubling: dicts by stack of a strided `ShiftedConv2D` and of a
            `ShiftedConv2DTranspose`; None in the coarsest stage.
        inner: the coarser `ShiftedStage`, or None.
    """

    def __init__(self, down, up, halving=None, doubling=None, inner=None):
        self.down, self.up, self.blocks = down, up, [*down, *up]
        self.halving, self.doubling, self.inner = halving, doubling, inner

    def __call__(self, stacks, labels, features, training):
        """The pair of stacks after all blocks."""
        saved = [stacks]
        for block in self.down:
            stacks = block(stacks, None, labels, features, training=training)
            saved.append(stacks)
        if self.inner is None:
            saved.pop()
        else:
            halved = [layer(x) for layer, x in zip(self.halving.values(), stacks)]
            coarse = self.inner(halved, labels, _halved(features), training)
            sides = ops.shape(stacks[0])[1:3]
            pairs = zip(self.doubling.values(), coarse)
            stacks = [layer(x, sides=sides) for layer, x in pairs]
        for block in self.up:
            stacks = block(tuple(stacks), saved.pop(), labels, features, training=training)
        return stacks

    def initial_state(self, batch_size, height, width, labels, features):
        """The caches before the first row, a dict."""
        conditions = [block.condition(labels, features) for block in self.blocks]
        filters, count = self.blocks[0].filters, len(self.blocks)
        row = (width, batch_size)
        state = {
            # Row and column first: the loops take an entry of them along the first axis.
            "conditions": [ops.transpose(c, (1, 2, 0, 3)) for c in conditions if c is not None],
            "matrices": [block.horizontal_matrices() for block in self.blocks],
            "above": [(ops.zeros((*row, 2 * filters)),) * 2 for _ in self.blocks],
            "recorded": ops.zeros((width, count, batch_size, 2 * filters)),
            "added": ops.zeros((width, count, batch_size, 3 * filters)),
            "pending": ops.zeros((count, batch_size, 3 * filters)),
        }
        if self.inner is None:
            return state
        sides = -(-height // 2), -(-width // 2)
        return {
            **state,
            "inner": self.inner.initial_state(batch_size, *sides, labels, _halved(features)),
            "vertical_above": ops.zeros((*row, filters)),
            "horizontal_before": ops.zeros((batch_size, filters)),
            "horizontal_recorded": ops.zeros((*row, filters)),
            "horizontal_added": ops.zeros((sides[1], batch_size, filters)),
            "vertical_doubled": ops.zeros((2, *row, filters)),
            "horizontal_doubled": ops.zeros((sides[1], 4, batch_size, filters)),
        }

    def start_row(self, state, row, x):
        """Computes a row of the vertical stack; an even one in the coarser stages, too.

        Args:
            state: from `initial_state` or the last `step`.
            row: int32 scalar, which one.
            x: float tensor `(width, batch, filters)`.

        Returns:
            The state for `step`, and the row after all blocks.
        """
        state = {**state, "above": list(state["above"])}
        conditions = [_row_of(c, row) for c in state["conditions"]] or [None] * len(self.blocks)
        added, saved = [], [x]

        def apply(index, x, skip):
            block, condition = self.blocks[index], conditions[index]
            state["above"][index], x = block.vertical_row(
                state["above"][index], x, skip, condition
            )
            added.append(block.horizontal_row(state["recorded"][:, index], x, condition))
            return x

        for index in range(len(self.down)):
            x = apply(index, x, None)
            saved.append(x)
        if self.inner is None:
            saved.pop()
        else:
            state = {**state, **self._start_coarse_row(state, row, x)}
            x = ops.take(state["vertical_doubled"], row % 2, axis=0)
        for index in range(len(self.down), len(self.blocks)):
            x = apply(index, x, saved.pop())
        pending = ops.zeros_like(state["pending"])
        return {**state, "added": ops.stack(added, axis=1), "pending": pending}, x

    def _start_coarse_row(self, state, row, x):
        """What a row changes beyond its own stage."""
        names = ("inner", "vertical_doubled", "horizontal_added")

        def even():
            above = state["horizontal_recorded"][None]
            halved = self.halving["vertical"].row(ops.stack([state["vertical_above"], x]))
            inner, coarse = self.inner.start_row(state["inner"], row // 2, halved)
            doubled = self.doubling["vertical"].rows(coarse, x.shape[0])
            return inner, doubled, self.halving["horizontal"].row(above)

        changed = ops.cond(row % 2 == 0, even, lambda: tuple(state[name] for name in names))
        before = ops.zeros_like(state["horizontal_before"])
        return {**dict(zip(names, changed)), "vertical_above": x, "horizontal_before": before}

    def step(self, state, row, column, x):
        """Computes a position of the horizontal stack.

        Args:
            state: from `start_row` or the last `step`.
            row, column: int32 scalars, which one.
            x: float tensor `(batch, filters)`.

        Returns:
            The state for the next one, and the position after all blocks.
        """
        waiting = state["pending"] + ops.take(state["added"], column, axis=0)
        pending, records, saved = [], [], [x]

        def apply(index, x, skip):
            matrices = state["matrices"][index]
            left, record, x = self.blocks[index].horizontal_step(x, skip, waiting[index], matrices)
            pending.append(left)
            records.append(record)
            return x

        for index in range(len(self.down)):
            x = apply(index, x, None)
            saved.append(x)
        if self.inner is None:
            saved.pop()
        else:
            state = {**state, **self._coarse_step(state, row, column, x)}
            four = ops.take(state["horizontal_doubled"], column // 2, axis=0)
            x = ops.take(four, 2 * (row % 2) + column % 2, axis=0)
        for index in range(len(self.down), len(self.blocks)):
            x = apply(index, x, saved.pop())
        recorded = _written(state["recorded"], column, ops.stack(records))
        return {**state, "pending": ops.stack(pending), "recorded": recorded}, x

    def _coarse_step(self, state, row, column, x):
        """What a position changes beyond its own stage."""
        names = ("inner", "horizontal_doubled")

        def even():
            layer, place = self.halving["horizontal"], column // 2
            pair = ops.concatenate([state["horizontal_before"], x], axis=-1)
            halved = ops.matmul(pair, ops.reshape(layer.kernel[-1], (-1, layer.filters)))
            halved = halved + ops.take(state["horizontal_added"], place, axis=0)
            inner, coarse = self.inner.step(state["inner"], row // 2, place, halved)
            four = self.doubling["horizontal"].doubled(coarse)
            return inner, _written(state["horizontal_doubled"], place, four)

        # Three of four positions have nothing to do here.
        changed = ops.cond(
            (row % 2 == 0) & (column % 2 == 0), even, lambda: tuple(state[name] for name in names)
        )
        recorded = _written(state["horizontal_recorded"], column, x)
        kept = {"horizontal_before": x, "horizontal_recorded": recorded}
        return {**dict(zip(names, changed)), **kept}


def _halved(features):
    """Features at half the resolution, means over 2 x 2 positions; None stays None."""
    return None if features is None else ops.average_pool(features, 2, padding="same")


def _written(kept, place, entry):
    """`kept` with the entry at `place` of its first axis."""
    return ops.scatter_update(kept, ops.reshape(place, (1, 1)), entry[None])


def _row_of(condition, row):
    # A class has one row of conditions for all rows of the map, features one for each.
    return ops.take(condition, ops.minimum(row, condition.shape[0] - 1), axis=0)
