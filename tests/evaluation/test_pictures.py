import numpy as np
import pytest
from PIL import Image

from vqzoo.evaluation import pictures


def test_every_pixel_has_its_place(monkeypatch):
    monkeypatch.setattr(pictures, "SMALLEST_SIDE", 4)
    images = np.arange(3 * 2 * 3).reshape(3, 2, 3, 1).astype("uint8")
    found = pictures.grid(images, columns=2, gap=1)
    assert found.shape == (2 * (4 + 1) + 1, 2 * (6 + 1) + 1, 1)
    for i, (top, left) in enumerate([(1, 1), (1, 8), (6, 1)]):
        tile = found[top : top + 4, left : left + 6]
        np.testing.assert_array_equal(tile, np.kron(images[i, :, :, 0], np.ones((2, 2)))[..., None])
    assert (found[6:, 8:] == 255).all() and (found[0] == 255).all()


def test_large_images_keep_their_size():
    assert pictures.grid(np.zeros((1, 64, 80, 3), "uint8"), 1, gap=0).shape == (64, 80, 3)


def test_reconstructions_lie_below_their_images():
    images = np.full((3, 64, 64, 1), 10, "uint8")
    images[2] = 30
    found = pictures.comparison(images, images + 1, columns=2)
    assert found.shape == (4 * 66 + 2, 2 * 66 + 2, 1)
    rows = [found[2 + 66 * row + 5, [5, 71], 0].tolist() for row in range(4)]
    assert rows == [[10, 10], [11, 11], [30, 255], [31, 255]]


@pytest.mark.parametrize("channels", [1, 3])
def test_png_holds_the_pixels(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype("uint8")
    pictures.save_png(tmp_path / "a.png", pixels)
    read = np.asarray(Image.open(tmp_path / "a.png")).reshape(pixels.shape)
    np.testing.assert_array_equal(read, pixels)


def test_usage_is_drawn(tmp_path):
    pictures.save_usage(tmp_path / "usage.png", np.array([5, 0, 3, 9]))
    assert Image.open(tmp_path / "usage.png").size == (700, 300)
