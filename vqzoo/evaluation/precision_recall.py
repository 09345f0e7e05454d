"""Improved precision and recall: are samples like real images, and real images like samples."""

import numpy as np

from vqzoo.evaluation.kernel_distance import squared_distances

BLOCK = 1024
"""Rows whose distances to all others are in memory at once."""


def precision_recall(real, fake, neighbours=3):
    """Shares of one set that lie in the neighbourhoods of the other, a pair of floats in 0..1.

    Kynkaanniemi et al., arXiv:1904.06991, Equations 1 and 2. A set's neighbourhoods are balls
    around its rows, as large as the distance to the third nearest other row.

    Args:
        real, fake: float arrays `(rows, features)` of more rows than `neighbours`; as many in each,
            or else the larger set, whose balls are smaller, is at a disadvantage.
        neighbours: int, which neighbour decides the size of a ball.

    Returns:
        `(precision, recall)`: the share of `fake` inside a ball of `real`, which falls when what is
        not real is invented; and that of `real` inside a ball of `fake`, which falls when some of
        it is left out.

    Raises:
        ValueError: if a set has too few rows.
    """
    real, fake = np.asarray(real, "float64"), np.asarray(fake, "float64")
    few = min(len(real), len(fake))
    if few <= neighbours:
        raise ValueError(f"`real` and `fake` must have {neighbours + 1} rows. Received: {few}")
    return _share_inside(fake, real, neighbours), _share_inside(real, fake, neighbours)


def _share_inside(rows, centres, neighbours):
    """Share of the rows that lie in the ball of one centre or more."""
    inside = np.zeros(len(rows), bool)
    for start in range(0, len(centres), BLOCK):
        block = centres[start : start + BLOCK]
        # The nearest of a centre's own set is the centre itself.
        among = squared_distances(block, centres)
        radii = np.partition(among, neighbours, axis=1)[:, neighbours]
        inside |= (squared_distances(rows, block) <= radii).any(axis=1)
    return float(inside.mean())
