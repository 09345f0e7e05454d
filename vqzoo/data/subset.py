"""A part of a source, of images or of codes."""

import numpy as np


class Subset:
    """The examples of `source` at `indices`; in all else it answers as the source does.

    Args:
        source: `ImageSource` or `CodeStore`.
        indices: int sequence `[N]`, positions in the source.
    """

    def __init__(self, source, indices):
        self._source, self._indices = source, np.asarray(indices, "int64")

    def __len__(self):
        return len(self._indices)

    def __getitem__(self, index):
        return self._source[int(self._indices[index])]

    def read(self, index):
        """The picture at `index` of the subset, as `ImageSource.read` gives it."""
        return self._source.read(int(self._indices[index]))

    def describe(self, index):
        """What that picture is called in messages: str."""
        return self._source.describe(int(self._indices[index]))

    def take(self, indices, *generator):
        """The examples at `indices` of the subset, int `[B]`, as the source's `take` gives them."""
        return self._source.take(self._indices[np.asarray(indices, "int64")], *generator)

    def __getattr__(self, name):
        return getattr(self._source, name)  # name, class_names, image_shape and the like


def evenly_spaced(source, most):
    """`source`, or a `Subset` of `most` of its examples where it has more: of all classes."""
    if most is None or len(source) <= most:
        return source
    return Subset(source, np.arange(most) * len(source) // most)


MOST_HELD_OUT = 5000
"""Examples that are held out at most: they are kept in memory, and looked at once a pass."""


def hold_out(source, share, seed):
    """Splits a source by a seeded draw.

    Args:
        source: `ImageSource` or `CodeStore` of at least two examples, of any shape.
        share: float in 0..1, share of the examples that is held out, but at least one and at most
            `MOST_HELD_OUT`.
        seed: int.

    Returns:
        `(rest, held_out)`, two `Subset`s, each in the order of the source.
    """
    order = np.random.default_rng(seed).permutation(len(source))
    count = min(max(1, round(share * len(source))), MOST_HELD_OUT)
    return Subset(source, np.sort(order[count:])), Subset(source, np.sort(order[:count]))
