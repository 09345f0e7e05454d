"""One resolution of a PixelCNN++ with the coarser ones inside: all at once, or step by step."""

from keras import ops

from vqzoo.networks.stacked_network import row_of


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

    def fixed(self, labels, features):
        """What no row or position changes: weights as steps take them, and conditions."""
        conditions = [block.condition(labels, features) for block in self.blocks]
        return {
            # Row and column first: the loops take an entry of them along the first axis.
            "conditions": [ops.transpose(c, (1, 2, 0, 3)) for c in conditions if c is not None],
            "matrices": [block.horizontal_matrices() for block in self.blocks],
            "inner": self.inner.fixed(labels, _halved(features)) if self.inner else {},
        }

    def no_rows(self, batch_size, width):
        """What `start_row` changes, before the first row."""
        filters, count = self.blocks[0].filters, len(self.blocks)
        state = {
            "above": [(ops.zeros((width, batch_size, 2 * filters)),) * 2 for _ in self.blocks],
            "added": ops.zeros((width, count, batch_size, 3 * filters)),
        }
        if self.inner is None:
            return state
        half = -(-width // 2)
        return {
            **state,
            "halving_above": ops.zeros((width, batch_size, filters)),
            "halving_added": ops.zeros((half, batch_size, filters)),
            "doubled": ops.zeros((2, width, batch_size, filters)),
            "inner": self.inner.no_rows(batch_size, half),
        }

    def no_positions(self, batch_size, width):
        """What `step` changes, before the first position."""
        filters, count = self.blocks[0].filters, len(self.blocks)
        state = {
            "recorded": ops.zeros((width, count, batch_size, 2 * filters)),
            "pending": ops.zeros((count, batch_size, 3 * filters)),
        }
        if self.inner is None:
            return state
        half = -(-width // 2)
        return {
            **state,
            "halving_recorded": ops.zeros((width, batch_size, filters)),
            "before": ops.zeros((batch_size, filters)),
            "doubled": ops.zeros((half, 4, batch_size, filters)),
            "inner": self.inner.no_positions(batch_size, half),
        }

    def start_row(self, fixed, rows, positions, row, x):
        """Computes a row of the vertical stack; an even one in the coarser stages, too.

        Args:
            fixed: from the method of that name.
            rows: from `no_rows` or the row before.
            positions: from `no_positions` or the last `step`.
            row: int32 scalar, which one.
            x: float tensor `(width, batch, filters)`.

        Returns:
            `rows` for the next one, and the row after all blocks.
        """
        conditions = [row_of(c, row) for c in fixed["conditions"]] or [None] * len(self.blocks)
        rows, above, added, saved = dict(rows), [], [], [x]

        def apply(index, x, skip):
            block, condition = self.blocks[index], conditions[index]
            kept, x = block.vertical_row(rows["above"][index], x, skip, condition)
            above.append(kept)
            added.append(block.horizontal_row(positions["recorded"][:, index], x, condition))
            return x

        for index in range(len(self.down)):
            x = apply(index, x, None)
            saved.append(x)
        if self.inner is None:
            saved.pop()
        else:
            rows |= self._start_coarse_row(fixed, rows, positions, row, x)
            x = ops.take(rows["doubled"], row % 2, axis=0)
        for index in range(len(self.down), len(self.blocks)):
            x = apply(index, x, saved.pop())
        return {**rows, "above": above, "added": ops.stack(added, axis=1)}, x

    def _start_coarse_row(self, fixed, rows, positions, row, x):
        """What a row changes beyond its own stage."""

        def even():
            halved = self.halving["vertical"].row(ops.stack([rows["halving_above"], x]))
            states = fixed["inner"], rows["inner"], positions["inner"]
            inner, coarse = self.inner.start_row(*states, row // 2, halved)
            doubled = self.doubling["vertical"].rows(coarse, x.shape[0])
            above = positions["halving_recorded"][None]
            return inner, doubled, self.halving["horizontal"].row(above)

        names = ("inner", "doubled", "halving_added")
        changed = ops.cond(row % 2 == 0, even, lambda: tuple(rows[name] for name in names))
        return {**dict(zip(names, changed)), "halving_above": x}

    def step(self, fixed, rows, positions, row, column, x):
        """Computes a position of the horizontal stack.

        Args:
            fixed, rows: from the method `fixed` and from `start_row`.
            positions: from `no_positions` or `written`.
            row, column: int32 scalars, which one.
            x: float tensor `(batch, filters)`.

        Returns:
            What `written` takes, and the position after all blocks.
        """
        pending = ops.where(column == 0, 0.0, positions["pending"])
        waiting = pending + ops.take(rows["added"], column, axis=0)
        pending, records, saved = [], [], [x]

        def apply(index, x, skip):
            matrices = fixed["matrices"][index]
            left, record, x = self.blocks[index].horizontal_step(x, skip, waiting[index], matrices)
            pending.append(left)
            records.append(record)
            return x

        for index in range(len(self.down)):
            x = apply(index, x, None)
            saved.append(x)
        found = {}
        if self.inner is None:
            saved.pop()
        else:
            found = self._coarse_step(fixed, rows, positions, row, column, x)
            x = ops.take(found["doubled"], 2 * (row % 2) + column % 2, axis=0)
        for index in range(len(self.down), len(self.blocks)):
            x = apply(index, x, saved.pop())
        return {**found, "pending": ops.stack(pending), "recorded": ops.stack(records)}, x

    def _coarse_step(self, fixed, rows, positions, row, column, x):
        """What a position finds beyond its own stage."""
        place = column // 2

        def even():
            layer = self.halving["horizontal"]
            before = ops.where(column == 0, 0.0, positions["before"])
            kernel = ops.reshape(layer.kernel[-1], (-1, layer.filters))
            halved = ops.matmul(ops.concatenate([before, x], axis=-1), kernel)
            halved = halved + ops.take(rows["halving_added"], place, axis=0)
            states = fixed["inner"], rows["inner"], positions["inner"]
            inner, coarse = self.inner.step(*states, row // 2, place, halved)
            return inner, self.doubling["horizontal"].doubled(coarse)

        def odd():
            doubled = ops.take(positions["doubled"], place, axis=0)
            return self.inner.unchanged(positions["inner"], place), doubled

        # Three of four positions have nothing to do here.
        inner, doubled = ops.cond((row % 2 == 0) & (column % 2 == 0), even, odd)
        return {"inner": inner, "doubled": doubled, "before": x, "halving_recorded": x}

    def unchanged(self, positions, column):
        """What `written` takes to leave the column of `positions` as it is."""
        found = {
            "recorded": ops.take(positions["recorded"], column, axis=0),
            "pending": positions["pending"],
        }
        if self.inner is None:
            return found
        return {
            **found,
            "doubled": ops.take(positions["doubled"], column // 2, axis=0),
            "before": positions["before"],
            "halving_recorded": ops.take(positions["halving_recorded"], column, axis=0),
            "inner": self.inner.unchanged(positions["inner"], column // 2),
        }

    def written(self, positions, found, column):
        """`positions` with what `step` found in the column.

        Apart from `step`, since a conditional copies all that it returns: columns, not maps.
        """
        recorded = _written(positions["recorded"], column, found["recorded"])
        written = {"recorded": recorded, "pending": found["pending"]}
        if self.inner is None:
            return written
        places = {"halving_recorded": column, "doubled": column // 2}
        for name, place in places.items():
            written[name] = _written(positions[name], place, found[name])
        inner = self.inner.written(positions["inner"], found["inner"], column // 2)
        return {**written, "before": found["before"], "inner": inner}


def _halved(features):
    """Features at half the resolution, means over 2 x 2 positions; None stays None."""
    return None if features is None else ops.average_pool(features, 2, padding="same")


def _written(kept, place, entry):
    """`kept` with the entry at `place` of its first axis."""
    return ops.scatter_update(kept, ops.reshape(place, (1, 1)), entry[None])
