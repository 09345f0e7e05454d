import numpy as np
import pytest

from vqzoo.evaluation import nearest_maps
from vqzoo.evaluation.nearest_maps import flat_maps, nearest_distances


@pytest.mark.parametrize("num_codes, highest", [(7, 3), (300, 4000), (5, 2**17)])
def test_equals_all_pairs(monkeypatch, num_codes, highest):
    monkeypatch.setattr(nearest_maps, "ROWS", 4)
    monkeypatch.setattr(nearest_maps, "COLUMNS", 5)
    generator = np.random.default_rng(0)
    maps = generator.integers(0, highest, (11, num_codes))
    others = generator.integers(0, highest, (13, num_codes))
    others[0] = (maps[0] + 2**16) % highest  # equal in 16 bits
    expected = (maps[:, None] != others[None]).sum(axis=-1).min(axis=1)
    np.testing.assert_array_equal(nearest_distances(maps, others), expected)
    np.testing.assert_array_equal(nearest_distances(others[:3], others), 0)


def test_levels_lie_in_one_row():
    levels = [np.arange(2).reshape(2, 1, 1), np.arange(8).reshape(2, 2, 2)]
    assert flat_maps(levels).tolist() == [[0, 0, 1, 2, 3], [1, 4, 5, 6, 7]]
