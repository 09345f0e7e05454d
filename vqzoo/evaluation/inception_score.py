"""Inception score: are single samples clear, and all of them together varied."""

import numpy as np

SPLITS = 10
"""Parts of the images, and so the fewest images that the score can be computed of."""


def inception_score(probabilities, splits=SPLITS):
    """exp of the mean divergence of p(label given x) from its mean over x; a pair of floats.

    Salimans et al., arXiv:1606.03498, Section 4. It is 1 if all images look alike to the
    classifier, and the number of classes if it is sure of each and sees all equally often.

    Args:
        probabilities: float array `(images, classes)`, rows that sum to 1.
        splits: int; the score is computed for so many parts of the images, one after the other.

    Returns:
        `(score, deviation)`: mean over the parts, and their standard deviation.

    Raises:
        ValueError: if there are fewer images than parts.
    """
    rows = np.asarray(probabilities, "float64")
    if len(rows) < splits:
        raise ValueError(f"`probabilities` must have {splits} rows or more. Received: {len(rows)}")
    rows = rows / rows.sum(axis=1, keepdims=True)  # float32 rows are 1 to the last digit only
    scores = [_score(part) for part in np.array_split(rows, splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(rows):
    mean = rows.mean(axis=0)
    # A class of probability 0 counts for nothing, and its logarithm is not asked for.
    ratios = np.divide(rows, mean, out=np.ones_like(rows), where=rows > 0)
    return np.exp(np.mean(np.sum(rows * np.log(ratios), axis=1)))
