"""Fewer, better samples: of many, those in which a critic sees the class asked for most clearly."""

import numpy as np

from vqzoo.checks import checked_number

KEEP = 0.1
"""Share of the candidates that is kept, where nobody says which."""


def checked_keep(keep, critic):
    """The share of candidates to keep, a float in (0, 1].

    Raises:
        ValueError: if `keep` is no such number, or given where nobody can choose.
    """
    if keep is None:
        return KEEP
    if critic is None:
        raise ValueError(f"`keep` needs a `critic` that says which to keep. Received: {keep=}")
    return checked_number(keep, "keep", "in (0, 1]", lambda share: 0 < share <= 1)


def candidate_labels(labels, keep):
    """Labels of the images to draw so that a share of each class can be kept.

    Section 3.3 of arXiv:1906.00446.

    Args:
        labels: int `(images,)`, the wanted ones.
        keep: float in (0, 1], as given by `checked_keep`.

    Returns:
        int32 `(candidates,)`: for n wanted images of a class n / keep, rounded up. The first are
        `labels`, so that keeping all draws what would be drawn without a critic.
    """
    classes, counts = np.unique(labels, return_counts=True)
    more = np.ceil(np.round(counts / keep, 6)).astype(int) - counts  # 3 / 0.3 is above 10
    return np.concatenate([labels, np.repeat(classes, more)]).astype("int32")


def best_rows(labels, candidates, scores):
    """Which candidate becomes which image.

    Args:
        labels: int `(images,)`, the wanted ones.
        candidates: int `(candidates,)`, what `candidate_labels` gave for them.
        scores: float `(candidates,)`, the critic's p(label given image), higher is better.

    Returns:
        int `(images,)`, rows of `candidates`: of each class the best, in the order in which they
        were drawn, so that an image's place says nothing about its score. Ties go to the first.
    """
    rows = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = np.flatnonzero(candidates == label)
        places = np.flatnonzero(labels == label)
        order = np.argsort(-scores[own], kind="stable")[: len(places)]
        rows[places] = np.sort(own[order])
    return rows
