import numpy as np
import pytest
from keras import ops

from vqzoo.layers.row_draws import draw_rows


def draws(*arguments):
    return ops.convert_to_numpy(draw_rows(*arguments))


@pytest.mark.parametrize("num_rows", [16, 17, 31, 32, 1000])
def test_distinct_rows_when_there_are_enough(num_rows):
    for step in range(20):
        rows = draws(3, step, 16, num_rows)
        assert rows.dtype == "int32" and len(set(rows)) == 16
        assert 0 <= rows.min() and rows.max() < num_rows


def test_every_row_comes_up_when_there_are_too_few():
    rows = draws(0, 5, 16, 6)
    assert set(rows) == set(range(6)) and np.bincount(rows).max() <= 3


def test_every_row_is_equally_likely():
    counts = sum(np.bincount(draws(1, step, 30, 100), minlength=100) for step in range(500))
    # 150 expected of each; one of 100 binomial counts deviates by 4.5 sigma in 1 of 1,500 tables
    assert np.abs(counts - 150).max() < 4.5 * np.sqrt(150 * 0.7)
    assert counts.std() > 0.5 * np.sqrt(150 * 0.7), "draws spread like random ones"


def test_each_draw_reaches_every_row():
    first = {int(draws(1, step, 4, 12)[0]) for step in range(200)}
    assert first == set(range(12))


def test_a_function_of_seed_and_step_alone():
    np.testing.assert_array_equal(draws(7, 2, 50, 9999), draws(7, np.int64(2), 50, 9999))
    assert np.mean(draws(7, 2, 50, 9999) == draws(7, 3, 50, 9999)) < 0.1
    assert np.mean(draws(7, 2, 50, 9999) == draws(8, 2, 50, 9999)) < 0.1
