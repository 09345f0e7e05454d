"""Maximum mean discrepancy between two sets of vectors; the kernel inception distance."""

import numpy as np

BLOCK = 2048
"""Rows whose kernel values are in memory at once: 32 MiB of float64."""

KID_SUBSETS, KID_SIZE = 50, 1000
"""How often, and of how many rows, a subset is drawn."""


def unbiased_mmd(first, second, kernel):
    """Unbiased estimate of the squared maximum mean discrepancy, float; it may be below 0.

    Gretton et al., A Kernel Two-Sample Test (2012), Equation 3: the means of the kernel over pairs
    of different rows of either set, less twice its mean over pairs of one row from each.

    Args:
        first, second: float arrays `(rows, features)`, two rows or more each.
        kernel: function of float64 `(a, features)` and `(b, features)` to `(a, b)`.
    """
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    across = _kernel_sum(first, second, kernel) / (len(first) * len(second))
    return _mean_within(first, kernel) + _mean_within(second, kernel) - 2 * across


def _mean_within(rows, kernel):
    """Mean of the kernel over pairs of different rows."""
    own = sum(np.trace(kernel(rows[i : i + 256], rows[i : i + 256]))
              for i in range(0, len(rows), 256))  # fmt: skip
    return (_kernel_sum(rows, rows, kernel) - own) / (len(rows) * (len(rows) - 1))


def _kernel_sum(first, second, kernel):
    return sum(
        kernel(first[i : i + BLOCK], second[j : j + BLOCK]).sum()
        for i in range(0, len(first), BLOCK)
        for j in range(0, len(second), BLOCK)
    )


def mmd(first, second, bandwidth=None):
    """Squared maximum mean discrepancy with a Gaussian kernel, unbiased; float.

    The kernel is exp(-|x - y|^2 / (2 bandwidth^2)).

    Args:
        first, second: float arrays `(rows, features)`, two rows or more each.
        bandwidth: float, or None for the median distance between the rows of `second`, the real
            ones, whatever the others are: numbers that share a reference share a kernel.
    """
    bandwidth = median_distance(second) if bandwidth is None else bandwidth

    def gaussian(x, y):
        return np.exp(-squared_distances(x, y) / (2 * bandwidth**2))

    return float(unbiased_mmd(first, second, gaussian))


def median_distance(rows, most=1000):
    """Median Euclidean distance over pairs of rows, float: of `most` rows, evenly spaced."""
    rows = np.asarray(rows, "float64")
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]
    squares = squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
    return float(np.median(np.sqrt(squares)))


def squared_distances(first, second):
    """Squared Euclidean distances, float64 `(a, b)`, of float64 `(a, n)` and `(b, n)`."""
    squares = np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1)
    squares -= 2 * (first @ second.T)
    return np.maximum(squares, 0, out=squares)  # a row's own distance may round below 0


def kid(first, second, seed=0):
    """Kernel inception distance and its standard error, a pair of floats.

    Binkowski et al., arXiv:1801.01401, Section 4: the unbiased squared discrepancy with the kernel
    (x.y / features + 1)^3, as a mean over random subsets. The error is the standard deviation of
    the subsets' values over the root of their number; as subsets overlap, it is a lower estimate.

    Args:
        first, second: float arrays `(rows, features)`, two rows or more each. Subsets have 1,000
            rows, or as many as the smaller set has.
        seed: int, of the subsets.
    """
    generator, size = np.random.default_rng(seed), min(len(first), len(second), KID_SIZE)
    values = [
        unbiased_mmd(*(rows[generator.choice(len(rows), size, replace=False)]
                       for rows in (first, second)), _cubic)
        for _ in range(KID_SUBSETS)
    ]  # fmt: skip
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(KID_SUBSETS))


def _cubic(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3
