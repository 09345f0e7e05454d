"""How far maps of codes lie from the nearest of many others: whether samples are copies."""

import math

import numpy as np

from vqzoo.progress import track

ROWS, COLUMNS = 64, 4096
"""Maps compared at once: their distances, and the codes they share, stay in the cache."""


def nearest_distances(maps, others):
    """Smallest Hamming distance of each map to any of the others; exact, in bounded memory.

    https://en.wikipedia.org/wiki/Hamming_distance: in how many positions two maps differ.

    Args:
        maps: int array `(images, codes)`.
        others: int array `(others, codes)`.

    Returns:
        int64 array `(images,)`, numbers of codes that differ.
    """
    num_codes = maps.shape[1]
    # Memory traffic decides the speed: codes of two bytes, and the others' maps one position a row.
    dtype = "uint16" if max(maps.max(), others.max()) < 2**16 else "int64"
    maps, by_position = maps.astype(dtype), np.ascontiguousarray(others.T.astype(dtype))
    nearest = np.full(len(maps), num_codes)
    starts = range(0, len(maps), ROWS)
    for start in track(starts, len(starts), "comparing with training codes"):
        rows = slice(start, start + ROWS)
        for column in range(0, len(others), COLUMNS):
            block = by_position[:, column : column + COLUMNS]
            distances = _distances(maps[rows], block)
            nearest[rows] = np.minimum(nearest[rows], distances.min(axis=1))
    return nearest


def _distances(maps, by_position):
    """Hamming distances `(images, others)` to maps given as `(codes, others)`."""
    counter = "uint8" if maps.shape[1] < 2**8 else "uint32"
    distances = np.zeros((len(maps), by_position.shape[1]), counter)
    differs = np.empty(distances.shape, bool)
    for position, codes in enumerate(by_position):
        np.not_equal(maps[:, position, None], codes, out=differs)
        distances += differs.view("uint8")
    return distances


def flat_maps(levels):
    """All levels of an image in one row: list of `(images, h, w)` to `(images, codes)`."""
    rows = [level.reshape(len(level), math.prod(level.shape[1:])) for level in levels]
    return np.concatenate(rows, axis=1)
