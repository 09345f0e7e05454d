"""Parts of a source: which examples they hold."""

import numpy as np
import pytest

from vqzoo.data import ArraySource, training_batches
from vqzoo.data.subset import Subset, hold_out


@pytest.fixture
def source():
    images = np.arange(40, dtype="uint8").reshape(40, 1, 1, 1)
    return ArraySource(images, np.arange(40) % 3, ["a", "b", "c"], "forty")


def test_holds_the_examples_at_the_indices(source):
    subset = Subset(source, [7, 3, 39])
    assert len(subset) == 3
    assert [int(subset[i]["image"].item()) for i in range(3)] == [7, 3, 39]
    np.testing.assert_array_equal(subset.take([2, 0])["label"], [0, 1])
    assert (subset.name, subset.class_names, subset.has_labels) == ("forty", ["a", "b", "c"], True)


def test_batches_hold_no_other_examples(source):
    subset = Subset(source, range(5, 9))
    seen = {int(i) for images, _ in training_batches(subset, 2, 0, 12) for i in images.reshape(-1)}
    assert seen == {5, 6, 7, 8}


def test_held_out_and_rest_are_the_whole_and_depend_on_the_seed(source):
    rest, held_out = hold_out(source, 0.05, seed=0)
    parts = [set(part.take(np.arange(len(part)))["image"].flat) for part in (rest, held_out)]
    assert (len(rest), len(held_out)) == (38, 2)
    assert parts[0] | parts[1] == set(range(40))
    others = [tuple(hold_out(source, 0.05, seed)[1].take([0, 1])["image"].flat) for seed in range(5)]
    assert len(set(others)) > 1
    assert len(hold_out(source, 0.001, 0)[1]) == 1


def test_no_more_is_held_out_than_memory_has_room_for():
    images = ArraySource(np.zeros((120_000, 1, 1, 1), "uint8"))
    assert [len(part) for part in hold_out(images, 0.05, seed=0)] == [115_000, 5_000]
