import numpy as np
import pytest

from vqzoo.sampling.rejection import best_rows, candidate_labels, checked_keep


@pytest.mark.parametrize("keep", [1, 0.5, 0.3, 0.1, 1e-3])
def test_enough_candidates_of_each_class_and_the_wanted_ones_first(keep):
    labels = np.array([2, 0, 2, 2, 5])
    candidates = candidate_labels(labels, keep)
    np.testing.assert_array_equal(candidates[:5], labels)
    for label, count in ((0, 1), (2, 3), (5, 1)):
        found = np.sum(candidates == label)
        assert found * keep >= count - 1e-6 and (found - 1) * keep < count
    assert set(candidates) == {0, 2, 5}
    assert len(candidate_labels(np.zeros(3, int), 0.3)) == 10  # 3 / 0.3 is a little above 10


def test_the_best_of_each_class_in_the_order_of_drawing():
    labels = np.array([1, 0, 1])
    candidates = np.array([1, 0, 1, 0, 0, 1, 1])
    scores = np.array([0.2, 0.5, 0.9, 0.7, 0.1, 0.3, 0.3])
    np.testing.assert_array_equal(best_rows(labels, candidates, scores), [2, 3, 5])


@pytest.mark.parametrize("seed", range(5))
def test_no_rejected_candidate_is_better_than_a_kept_one(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, 30)
    candidates = candidate_labels(labels, 0.2)
    scores = generator.random(len(candidates))
    rows = best_rows(labels, candidates, scores)
    np.testing.assert_array_equal(candidates[rows], labels)
    assert len(set(rows)) == 30
    for label in range(4):
        kept = np.isin(np.arange(len(candidates)), rows) & (candidates == label)
        rejected = ~kept & (candidates == label)
        assert scores[kept].min() > scores[rejected].max()


def test_keeping_all_changes_nothing():
    labels = np.array([3, 1, 3])
    rows = best_rows(labels, candidate_labels(labels, 1), np.array([0.1, 0.9, 0.5]))
    np.testing.assert_array_equal(rows, [0, 1, 2])


def test_share():
    assert checked_keep(None, None) == checked_keep(None, "critic") == 0.1
    assert checked_keep(0.25, "critic") == 0.25
    with pytest.raises(ValueError, match="`keep` needs a `critic`"):
        checked_keep(0.5, None)
    for wrong in (0, 1.5, "a", True, float("nan")):
        with pytest.raises(ValueError, match="`keep` must be a number in"):
            checked_keep(wrong, "critic")
