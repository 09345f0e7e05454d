"""k-means: Lloyd iterations over vectors in memory."""

from keras import ops

from vqzoo.layers.nearest_code import nearest_code

ITERATIONS = 10
"""Most of what Lloyd iterations win they win in the first ten."""


def kmeans(points, centroids):
    """Moves `centroids` `(k, dim)` by a few Lloyd iterations towards `points` `(n, dim)`.

    A centroid without points stays where it is. Deterministic; float32; returns `(k, dim)`.
    """

    def iterate(_, centroids):
        nearest = nearest_code(points, centroids)
        sums = ops.segment_sum(points, nearest, num_segments=centroids.shape[0])
        counts = ops.segment_sum(ops.ones_like(points[:, :1]), nearest, centroids.shape[0])
        return ops.where(counts > 0, sums / ops.maximum(counts, 1.0), centroids)

    return ops.fori_loop(0, ITERATIONS, iterate, centroids)
