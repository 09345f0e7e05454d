import numpy as np
import pytest

from vqzoo.evaluation.inception_score import inception_score


def test_sure_of_every_class_gives_their_number():
    rows = np.eye(7, dtype="float32")[np.arange(70) % 7]
    assert inception_score(rows) == pytest.approx((7, 0), abs=1e-12)


@pytest.mark.parametrize("row", [[1, 0, 0, 0], [0.25] * 4, [0.7, 0.1, 0.1, 0.1]])
def test_images_that_all_look_alike_give_one(row):
    assert inception_score(np.tile(row, (40, 1)))[0] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_bounds_and_the_definition(seed):
    rows = np.random.default_rng(seed).dirichlet([0.3] * 5, size=60)
    score, deviation = inception_score(rows, splits=3)
    expected = []
    for part in (rows[:20], rows[20:40], rows[40:]):
        mean = part.mean(axis=0)
        divergences = [sum(p * np.log(p / q) for p, q in zip(row, mean) if p) for row in part]
        expected.append(np.exp(np.mean(divergences)))
    assert score == pytest.approx(np.mean(expected), rel=1e-10)
    assert deviation == pytest.approx(np.std(expected), rel=1e-8)
    assert 1 < score < 5


def test_too_few_images_are_an_error():
    with pytest.raises(ValueError, match="must have 10 rows or more. Received: 9"):
        inception_score(np.full((9, 2), 0.5))
