import numpy as np
import pytest

from vqzoo import inputs

SHAPE = (8, 12, 1)


@pytest.mark.parametrize(
    ("dtype", "shape", "exact"),
    [
        ("float32", (2, 8, 12, 1), False),
        ("int64", (2, 8, 12, 1), False),
        ("uint8", (8, 12, 1), False),
        ("uint8", (2, 8, 12), False),
        ("uint8", (2, 8, 12, 3), False),
        ("uint8", (2, 8, 10, 1), False),
        ("uint8", (2, 0, 12, 1), False),
        ("uint8", (0, 8, 12, 1), False),
        ("uint8", (2, 12, 8, 1), True),
    ],
)
def test_wrong_images_are_refused(dtype, shape, exact):
    with pytest.raises(ValueError, match="`images` must be uint8") as caught:
        inputs.checked_images(np.zeros(shape, dtype), SHAPE, 4, exact)
    assert dtype in str(caught.value) and str(shape) in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 8, 12, 1), (3, 4, 16, 1)])
def test_right_images_pass_unchanged(shape):
    images = np.ones(shape, "uint8")
    assert inputs.checked_images(images, SHAPE, 4) is images


def slow_code_mask(pixels, rows, columns):
    """A code is touched if any pixel of its block is: pixel by pixel."""
    batch, height, width = pixels.shape
    touched = np.zeros((batch, rows, columns), bool)
    for image, y, x in np.argwhere(pixels):
        touched[image, y * rows // height, x * columns // width] = True
    return touched


def test_codes_that_a_pixel_mask_touches():
    pixels = np.random.default_rng(0).random((5, 8, 12)) < 0.05
    touched = inputs.code_mask(pixels, (2, 3))
    np.testing.assert_array_equal(touched, slow_code_mask(pixels, 2, 3))
    assert touched.any() and not touched.all()


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("grid", [(8, 12), (2, 3)])
def test_masks_of_pixels_and_of_codes(grid, batched):
    mask = np.random.default_rng(0).random((5, *grid) if batched else grid) < 0.5
    pixels = inputs.pixel_mask(mask, 5, SHAPE, [(2, 3)])
    expected = np.kron(mask, np.ones((8 // grid[0], 12 // grid[1]), bool))
    np.testing.assert_array_equal(pixels, np.broadcast_to(expected, (5, 8, 12)))


@pytest.mark.parametrize(
    "mask", [np.zeros((8, 12)), np.zeros((3, 2), bool), np.zeros((4, 8, 12), bool), True]
)
def test_wrong_masks_are_refused(mask):
    with pytest.raises(ValueError, match=r"`mask` must be bool \(5, 8, 12\) or \(5, 2, 3\)"):
        inputs.pixel_mask(mask, 5, SHAPE, [(2, 3)])


def test_labels_by_name_or_id():
    names = ["boot", "bag", "coat"]
    assert inputs.label_ids("bag", names) == 1
    assert inputs.label_ids(2, names) == 2 and inputs.label_ids(None, names) is None
    np.testing.assert_array_equal(inputs.label_ids(["coat", 0, "bag"], names), [2, 0, 1])
    with pytest.raises(ValueError, match="did you mean 'boot'"):
        inputs.label_ids(["coat", "boots"], names)
    with pytest.raises(ValueError, match="knows no names"):
        inputs.label_ids("coat", None)
