import numpy as np
import pytest

from vqzoo.data import ArraySource, batches
from vqzoo.evaluation.feature_networks import FeatureNetwork
from vqzoo.evaluation.nearest_images import nearest_images, neighbours_picture
from vqzoo.evaluation.pictures import grid

BRIGHTNESS = FeatureNetwork("bright", (4, 6, 1), lambda x: (x.mean(axis=(1, 2)), None))


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (40, 4, 6, 1)).astype("uint8")


@pytest.mark.parametrize("network", [None, BRIGHTNESS], ids=["pixels", "features"])
def test_equals_all_distances_sorted(pictures, network, monkeypatch):
    monkeypatch.setattr(batches, "MOST_IMAGES", 7)
    images, others = pictures[:5], pictures[5:]
    rows = [x.mean(axis=(1, 2)) if network else x.reshape(len(x), -1) / 127.5 - 1.0
            for x in (images, others)]  # fmt: skip
    expected = np.linalg.norm(rows[0][:, None] - rows[1], axis=-1)
    indices, distances = nearest_images(images, ArraySource(others), 3, network)
    np.testing.assert_array_equal(indices, np.argsort(expected, axis=1)[:, :3])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :3], atol=1e-4)


def test_a_copy_is_its_own_neighbour_and_the_picture_shows_it(pictures):
    images = pictures[[7, 31]]
    indices, distances = nearest_images(images, ArraySource(pictures), 2)
    assert indices[:, 0].tolist() == [7, 31]
    np.testing.assert_allclose(distances[:, 0], 0, atol=1e-6)
    shown = pictures[[7, 7, indices[0, 1], 31, 31, indices[1, 1]]]
    picture = neighbours_picture(images, ArraySource(pictures), 2)
    np.testing.assert_array_equal(picture, grid(shown, 3))


def test_a_source_that_is_too_small_is_an_error(pictures):
    with pytest.raises(ValueError, match="`source` must hold 5 images or more. Received: 4"):
        nearest_images(pictures, ArraySource(pictures[:4]))
