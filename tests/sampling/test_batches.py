"""Batches of even length."""

import numpy as np
import pytest

from vqzoo.sampling.batches import even_batches, in_batches


@pytest.mark.parametrize("total", [0, 1, 63, 64, 65, 100, 129])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_cover_everything_once_in_order(total, batch_size):
    batches = even_batches(total, batch_size)
    assert [i for rows in batches for i in range(rows.start, rows.stop)] == list(range(total))
    assert all(0 < rows.stop - rows.start <= batch_size for rows in batches)


def test_are_even():
    assert even_batches(100, 64) == [slice(0, 50), slice(50, 100)]


def test_results_are_joined_and_rows_stay_together():
    rows, labels, sizes = np.arange(10) * 10, np.arange(10), []

    def call(batch):
        sizes.append(len(batch[0]))
        return [batch[0] + batch[1], batch[1]]

    sums, same = in_batches(call, [rows, labels], 4, "adding batch")
    np.testing.assert_array_equal(sums, rows + labels)
    np.testing.assert_array_equal(same, labels)
    assert sizes == [4, 4, 2]
    (doubled,) = in_batches(lambda batch: 2 * batch, [rows], 3, "doubling batch")
    np.testing.assert_array_equal(doubled, 2 * rows)
    with pytest.raises(ValueError, match="`batch_size` must be an int, 1 or more"):
        in_batches(call, [rows, labels], 0, "adding batch")
