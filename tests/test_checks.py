"""Checks of single arguments: the value comes back, or the error names the argument."""

import numpy as np
import pytest

from vqzoo import checks


def between(value):
    return checks.checked_int(value, "x", 2, 5)


def share(value):
    return checks.checked_number(value, "x", "in [0, 1)", lambda number: 0 <= number < 1)


def pair(value):
    return checks.checked_sizes(value, "x", "(height, width)", 2)


@pytest.mark.parametrize(
    ("check", "right", "result"),
    [
        (between, np.int64(5), 5),
        (between, 2, 2),
        (share, 0, 0),
        (share, np.float32(0.5), 0.5),
        (lambda x: checks.checked_bool(x, "x"), np.bool_(True), True),
        (lambda x: checks.checked_choice(x, "x", ("a", "b")), "b", "b"),
        (pair, [3, np.int32(4)], (3, 4)),
        (pair, np.array([3, 4]), (3, 4)),
    ],
)
def test_right_values_come_back(check, right, result):
    assert check(right) == result


WRONG = [None, float("nan"), [], {}, np.zeros(3), np.zeros((2, 2), int), object(), 1j]


@pytest.mark.parametrize("wrong", [*WRONG, "3", 1.5, 1, 6, True, np.bool_(True)], ids=repr)
def test_wrong_ints_are_named(wrong):
    with pytest.raises(ValueError, match=r"`x` must be an int in 2\.\.5. Received: "):
        between(wrong)


@pytest.mark.parametrize("wrong", [*WRONG, "3", 1, -0.1, True], ids=repr)
def test_wrong_numbers_are_named(wrong):
    with pytest.raises(ValueError, match=r"`x` must be a number in \[0, 1\). Received: "):
        share(wrong)


SIZES = [*WRONG, "3", 1.5, [3], [3, 0], [3, 4, 5], (3, 4.0), "ab"]


@pytest.mark.parametrize("wrong", SIZES, ids=repr)
def test_wrong_sizes_are_named(wrong):
    with pytest.raises(ValueError, match=r"`x` must be \(height, width\), each an int, 1 or more"):
        pair(wrong)


@pytest.mark.parametrize("wrong", [*WRONG, "3", 0, 1, np.array([True])], ids=repr)
def test_what_is_no_bool_is_named(wrong):
    with pytest.raises(ValueError, match="`x` must be True or False"):
        checks.checked_bool(wrong, "x")


@pytest.mark.parametrize("wrong", [*WRONG, 1.5, "", "a\0b", b"a"], ids=repr)
def test_what_is_no_path_is_named(wrong):
    with pytest.raises(ValueError, match="`x` must be a path"):
        checks.checked_path(wrong, "x")


@pytest.mark.parametrize("wrong", [[-1], [3], [0.5], [[0]], 0, "ab", [None], [[1], [1, 2]]])
def test_wrong_indices_are_named(wrong):
    with pytest.raises(ValueError, match="`indices` must be"):
        checks.checked_indices(wrong, 3)


def test_indices_of_a_sequence():
    assert checks.checked_index(-1, 3) == checks.checked_index(np.int64(2), 3) == 2
    assert checks.checked_indices(range(3), 3).tolist() == [0, 1, 2]
    assert checks.checked_indices([], 3).dtype == np.int64
    for wrong in (3, -4):
        with pytest.raises(IndexError, match="`index` must be below 3"):
            checks.checked_index(wrong, 3)
    with pytest.raises(TypeError, match="`index` must be an int"):
        checks.checked_index("0", 3)


def test_class_names():
    assert checks.checked_class_names(("a", "b")) == ["a", "b"]
    assert checks.checked_class_names(None) is None
    for wrong in (["a", "a"], [1], "ab", 5, {"a": 1}):
        with pytest.raises(ValueError, match="`class_names` must be distinct strings"):
            checks.checked_class_names(wrong)


def test_what_is_shown_is_short():
    assert checks.shown(np.zeros((2, 3), "uint8")) == "uint8 array of shape (2, 3)"
    assert len(checks.shown("a" * 1000)) == 80
