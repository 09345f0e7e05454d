"""Pictures of any size: what resizing averages, and that tiles lose no pixel."""

import numpy as np
import pytest
from tests.data.image_files import picture

from vqzoo.data.any_size import cut_tiles, enlarged, join_tiles, resized


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_the_size_is_left_as_it_is(channels):
    pixels = picture(0, (5, 7, channels))
    np.testing.assert_array_equal(resized(pixels, 5, 7), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_shrinking_averages(channels):
    """A checkerboard of single pixels is grey, and not what every eighth pixel happens to be."""
    board = (np.indices((64, 96)).sum(axis=0) % 2 * 255).astype("uint8")
    small = resized(np.repeat(board[..., None], channels, axis=-1), 8, 12)
    assert small.shape == (8, 12, channels) and small.dtype == np.uint8
    assert np.abs(small.astype(int) - 127.5).max() < 8  # the filter's edge is not symmetric


def test_the_centre_is_kept_and_nothing_stretched():
    pixels = picture(0, (40, 100, 1))
    inner = np.s_[:, 3:-3]  # nearer to the cut the filter, three pixels wide, sees beyond it
    expected = resized(pixels[:, 30:70], 16, 16)[inner]
    np.testing.assert_array_equal(resized(pixels, 16, 16)[inner], expected)
    turned = resized(pixels.transpose(1, 0, 2), 16, 16).transpose(1, 0, 2)
    np.testing.assert_allclose(turned[inner].astype(int), expected, atol=1)  # it rounds twice


@pytest.mark.parametrize(
    ("size", "wanted", "expected"),
    [
        ((6, 8), (6, 8), (6, 8)),
        ((9, 8), (3, 7), (9, 8)),
        ((6, 8), (12, 8), (12, 16)),
        ((6, 8), (6, 12), (9, 12)),
        ((5, 50), (7, 7), (7, 70)),
    ],
)
def test_enlarging_keeps_the_shape_and_does_no_more_than_it_must(size, wanted, expected):
    rows, columns = np.indices(size)
    ramp = (100 + rows - columns)[..., None].astype("uint8")
    large = enlarged(ramp, *wanted)
    assert large.shape == (*expected, 1)
    factor = expected[0] / size[0]
    rows, columns = (np.indices(expected) + 0.5) / factor - 0.5
    inner = np.s_[2:-2, 2:-2]  # the filter sees beyond the edges
    np.testing.assert_allclose(large[..., 0][inner], (100 + rows - columns)[inner], atol=1)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 1), (1, 5000, 3), (5000, 1, 1), (3, 2, 3)])
def test_tiny_and_thin_pictures_become_the_size(shape):
    one_colour = np.full(shape, 90, "uint8")
    np.testing.assert_array_equal(resized(one_colour, 8, 12), np.full((8, 12, shape[2]), 90))


@pytest.mark.parametrize("shape", [(8, 12, 1), (1, 1, 3), (1, 100, 1), (9, 13, 3), (17, 5, 3)])
def test_joined_tiles_are_the_picture(shape):
    pixels = picture(0, shape)
    tiles = cut_tiles(pixels, 8, 12)
    count = -(-shape[0] // 8) * -(-shape[1] // 12)
    assert tiles.shape == (count, 8, 12, shape[2]) and tiles.dtype == np.uint8
    np.testing.assert_array_equal(join_tiles(tiles, *shape[:2]), pixels)


def test_a_tile_holds_what_lies_there():
    pixels = picture(0, (20, 30, 3))
    tiles = cut_tiles(pixels, 8, 12)  # three rows and three columns
    np.testing.assert_array_equal(tiles[4], pixels[8:16, 12:24])
    last = np.concatenate([pixels[16:20], pixels[16:20][::-1]])  # filled up by its mirror image
    np.testing.assert_array_equal(tiles[7], last[:, 12:24])
