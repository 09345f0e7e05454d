"""Filters of logits against slow NumPy, ties included."""

import numpy as np
import pytest

from vqzoo.sampling.logit_filters import keep_top_k, keep_top_p, with_temperature

ROWS = [
    [0.0, 1.0, 2.0, 3.0, 4.0],
    [1.0, 1.0, 1.0, 1.0, 1.0],
    [2.0, 5.0, 2.0, 5.0, 2.0],
    [-1e4, 0.0, 1e4, 0.0, -3.0],
]


def kept(filtered):
    return [np.flatnonzero(np.isfinite(row)).tolist() for row in np.asarray(filtered)]


def by_rank(row):
    """Indices from the highest logit down; of equal ones the lower index first."""
    return sorted(range(len(row)), key=lambda index: (-row[index], index))


def slow_top_p(row, top_p):
    """Adds codes in the order of rank until their probability reaches `top_p`."""
    weights = np.exp(np.array(row) - max(row))
    weights /= weights.sum()
    chosen, total = [], 0.0
    for index in by_rank(row):
        chosen.append(index)
        total += weights[index]
        if total >= top_p:
            break
    return sorted(chosen)


@pytest.mark.parametrize("top_k", [1, 2, 3, 5, 9])
def test_top_k(top_k):
    logits = np.array(ROWS, "float32")
    filtered = keep_top_k(logits, top_k)
    assert kept(filtered) == [sorted(by_rank(row)[:top_k]) for row in ROWS]
    finite = np.isfinite(filtered)
    np.testing.assert_array_equal(np.asarray(filtered)[finite], logits[finite])


@pytest.mark.parametrize("top_p", [1e-6, 0.3, 0.63, 0.7, 0.95])
def test_top_p(top_p):
    assert kept(keep_top_p(np.array(ROWS, "float32"), top_p)) == [
        slow_top_p(row, top_p) for row in ROWS
    ]


@pytest.mark.parametrize("seed", range(5))
def test_random_rows(seed):
    rows = np.random.default_rng(seed).normal(0, 2, (6, 40)).astype("float32")
    assert kept(keep_top_p(rows, 0.8)) == [slow_top_p(row.astype("float64"), 0.8) for row in rows]
    assert kept(keep_top_k(rows, 11)) == [sorted(by_rank(row)[:11]) for row in rows]


def test_temperature_one_for_each_row():
    logits = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    np.testing.assert_allclose(
        with_temperature(logits, np.array([0.5, 2.0], "float32")), [[2, 4], [1.5, 2]]
    )
