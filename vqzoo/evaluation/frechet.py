"""Frechet distance between images, by mean and covariance of features."""

import warnings

import numpy as np


class Moments:
    """Mean and covariance of rows that come in batches, none of which is kept.

    Batches are joined by Chan, Golub and LeVeque's update, doi:10.1080/00031305.1983.10483115, in
    float64: there is no sum of squares from which a large mean would have to be subtracted.

    Attributes:
        count: int, rows so far.
        mean: float64 `(features,)`.
        scatter: float64 `(features, features)`, sum of (x - mean)(x - mean)'.

    Args:
        num_features: int.
    """

    def __init__(self, num_features):
        self.count, self.mean = 0, np.zeros(num_features)
        self.scatter = np.zeros((num_features, num_features))

    def update(self, features):
        """Adds rows, a float array `(batch, features)`."""
        rows = np.asarray(features, "float64")
        count, mean = len(rows), rows.mean(axis=0)
        total, shift, rows = self.count + count, mean - self.mean, rows - mean
        self.scatter += rows.T @ rows
        self.scatter += np.outer(shift, shift) * (self.count * count / total)
        self.mean += shift * (count / total)
        self.count = total

    def covariance(self):
        """Unbiased covariance, float64 `(features, features)`.

        Raises:
            ValueError: if there are fewer than two rows.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs two images or more. Received: {self.count}")
        return self.scatter / (self.count - 1)


def frechet_distance(first, second):
    """Squared Frechet distance of two normal distributions, float, 0 or more.

    ||m1 - m2||^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); Heusel et al., arXiv:1706.08500, Section 4. The
    trace of the root is that of the symmetric (C1^(1/2) C2 C1^(1/2))^(1/2), which has real
    eigenvalues of 0 or more whatever the covariances' ranks.

    Args:
        first, second: `Moments` of the same number of features. With no more images than features
            a covariance is singular and the distance too large by far: that is a warning.

    Raises:
        ValueError: if there are fewer than two images on a side.
    """
    few, num_features = min(first.count, second.count), len(first.mean)
    if few <= num_features:
        warnings.warn(
            f"a Frechet distance of {num_features} features from {few} images is too large: it "
            "takes more images than features, better ten times as many",
            stacklevel=2,
        )
    one, other = first.covariance(), second.covariance()
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ other @ root)
    # Rounding leaves zeros at some 1e-16 of the largest, whose root would count as 1e-8 each.
    real = product > product[-1] * num_features * np.finfo("float64").eps
    trace = np.trace(one) + np.trace(other) - 2 * np.sqrt(product[real]).sum()
    return max(0.0, float(np.sum((first.mean - second.mean) ** 2) + trace))
