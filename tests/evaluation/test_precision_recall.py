import numpy as np
import pytest

from vqzoo.evaluation import precision_recall as module
from vqzoo.evaluation.precision_recall import precision_recall


def slow_share(rows, centres, neighbours):
    """Share of the rows in a ball, from all distances, one centre at a time."""
    inside = np.zeros(len(rows), bool)
    for i, centre in enumerate(centres):
        others = np.linalg.norm(np.delete(centres, i, axis=0) - centre, axis=1)
        inside |= np.linalg.norm(rows - centre, axis=1) <= np.sort(others)[neighbours - 1]
    return inside.mean()


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_equals_the_definition_in_blocks(neighbours, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 7)
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=(40, 3)), 1.3 * generator.normal(size=(30, 3)) + 0.7
    expected = slow_share(fake, real, neighbours), slow_share(real, fake, neighbours)
    assert 0 < min(expected) < 1  # else any rule would do
    assert precision_recall(real, fake, neighbours) == expected


def clusters(centres, count, seed):
    """Points within 1 or so of the given centres on a line, in turn."""
    noise = np.random.default_rng(seed).normal(size=(count, 2)) * 0.3
    return noise + np.resize(centres, count)[:, None] * [1, 0]


def test_dropped_modes_cost_recall_alone():
    precision, recall = precision_recall(clusters([0, 100], 400, 0), clusters([0], 400, 1))
    assert precision > 0.95 and recall == pytest.approx(0.5, abs=0.03)


def test_invented_modes_cost_precision_alone():
    precision, recall = precision_recall(clusters([0], 400, 0), clusters([0, 100, 200], 400, 1))
    assert precision == pytest.approx(1 / 3, abs=0.03) and recall > 0.95


def test_copies_are_perfect_and_strangers_are_not():
    real = clusters([0], 50, 0)
    assert precision_recall(real, real) == (1.0, 1.0)
    assert precision_recall(real, real + 1000) == (0.0, 0.0)


def test_too_few_rows_are_an_error():
    with pytest.raises(ValueError, match="must have 4 rows. Received: 3"):
        precision_recall(np.zeros((5, 2)), np.zeros((3, 2)))
