"""Codes of two levels that tests store, and their batches."""

import numpy as np

COUNT, SIZES, NAMES = 50, [300, 7], ["a", "b", "c"]
_generator = np.random.default_rng(0)
CODES = {
    "codes_0": _generator.integers(0, 300, (COUNT, 2, 3)).astype("int32"),
    "codes_1": _generator.integers(0, 7, (COUNT, 4, 6)).astype("int32"),
    "labels": _generator.integers(0, 3, COUNT).astype("int32"),
}
"""`codes_0` takes 16 bits and `codes_1` 8: 37 bytes an image with its label."""


def in_batches(size, codes=CODES):
    """Yields `codes` by `size` images."""
    for start in range(0, COUNT, size):
        yield {key: array[start : start + size] for key, array in codes.items()}
