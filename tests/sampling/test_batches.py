"""Batches of even length."""

import pytest

from vqzoo.sampling.batches import even_batches


@pytest.mark.parametrize("total", [0, 1, 63, 64, 65, 100, 129])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_cover_everything_once_in_order(total, batch_size):
    batches = even_batches(total, batch_size)
    assert [i for rows in batches for i in range(rows.start, rows.stop)] == list(range(total))
    assert all(0 < rows.stop - rows.start <= batch_size for rows in batches)


def test_are_even():
    assert even_batches(100, 64) == [slice(0, 50), slice(50, 100)]
