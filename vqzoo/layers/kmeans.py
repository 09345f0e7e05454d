"""k-means: Lloyd iterations over vectors in memory."""

from keras import ops

from vqzoo.layers.nearest_code import nearest_code

ITERATIONS = 10
"""Most of what Lloyd iterations win they win in the first ten."""


def kmeans(points, centroids):
    """Moves centroids by a few of Lloyd's iterations towards the means of their nearest points.

    S. P. Lloyd, "Least squares quantization in PCM", 1982, doi:10.1109/TIT.1982.1056489. A centroid
    without points stays where it is. Deterministic, given the start.

    Args:
        points: float32 tensor `(n, dim)`.
        centroids: float32 tensor `(k, dim)`, where to start.

    Returns:
        float32 tensor `(k, dim)`.
    """

    def iterate(_, centroids):
        nearest = nearest_code(points, centroids)
        sums = ops.segment_sum(points, nearest, num_segments=centroids.shape[0])
        counts = ops.segment_sum(ops.ones_like(points[:, :1]), nearest, centroids.shape[0])
        # The maximum only keeps 0 / 0 out of the branch that `where` discards.
        return ops.where(counts > 0, sums / ops.maximum(counts, 1.0), centroids)

    return ops.fori_loop(0, ITERATIONS, iterate, centroids)
