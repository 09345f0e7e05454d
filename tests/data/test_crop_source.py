"""Crops of pictures of differing size: their places, and what each is a function of."""

import numpy as np
import pytest
from tests.data.image_files import write_picture

from vqzoo.data import image_folder, open_source, training_batches, training_source
from vqzoo.data.joined_source import JoinedSource

CONFIG = {"image_shape": [6, 4, 1], "crop": [2, 3], "class_names": ["a", "b"]}
SIZES = [(6, 4), (7, 9), (2, 3), (12, 5), (3, 3)]
"""Heights and widths of the pictures; two of them are smaller than `image_shape`."""


def coordinates(number, height, width):
    """A picture whose pixels say which it is and where they are: 100 n + 10 row + column."""
    rows, columns = np.indices((height, width))
    return (50 * number + 10 * (rows % 5) + columns)[..., None].astype("uint8")


@pytest.fixture
def folder(tmp_path):
    for number, size in enumerate(SIZES):
        write_picture(tmp_path / f"train/a/{number}.png", coordinates(number, *size))
    write_picture(tmp_path / "test/b/9.png", coordinates(3, 9, 7))
    return tmp_path


def places(crop, number):
    """All (top, left) at which `crop` occurs in a picture."""
    picture = coordinates(number, *SIZES[number])
    windows = np.lib.stride_tricks.sliding_window_view(picture[..., 0], crop.shape[:2])
    return list(zip(*np.nonzero((windows == crop[..., 0]).all((2, 3))), strict=True))


def test_what_is_not_training_gets_the_centre(folder):
    test = open_source(CONFIG, "test", folder)
    assert test.image_shape == (6, 4, 1)
    whole = coordinates(3, 9, 7)
    np.testing.assert_array_equal(test[0]["image"], whole[1:7, 1:5])
    np.testing.assert_array_equal(test.take([0])["image"], whole[None, 1:7, 1:5])
    train = open_source(CONFIG, "train", folder)
    np.testing.assert_array_equal(train[1]["image"], coordinates(1, 7, 9)[0:6, 2:6])
    crops = training_source(train, CONFIG["crop"])
    assert crops.image_shape == (2, 3, 1) and crops.class_names == ["a", "b"]
    np.testing.assert_array_equal(crops[1]["image"], coordinates(1, 7, 9)[2:4, 3:6])
    np.testing.assert_array_equal(crops[2]["image"], coordinates(2, 2, 3))


def test_training_crops_lie_anywhere_in_their_picture(folder):
    # Many times the same folder: Grain takes a hundred times as long to shuffle five images.
    train = JoinedSource([open_source(CONFIG, "train", folder)] * 40)
    crops = training_source(train, CONFIG["crop"])
    seen = {number: set() for number in range(len(SIZES))}
    for images in training_batches(crops, 50, seed=0, steps=40, labels=False):
        assert images.shape == (50, 2, 3, 1)
        for image in images:
            number = int(image.max()) // 50
            found = places(image, number)
            assert found, "a crop that is no part of its picture"
            seen[number].add(found[0])
    for number, (height, width) in enumerate(SIZES):
        # 42 places at most, 400 draws: one is missed with probability 42 (41 / 42)^400 < 1 in 300
        # under any seed, and the seed is fixed. Rows repeat after 5, and stand for each other.
        assert len(seen[number]) == min(height - 1, 5) * (width - 2), number


def test_crops_are_a_function_of_seed_and_step(folder):
    crops = training_source(open_source(CONFIG, "train", folder), CONFIG["crop"])

    def batches(**changes):
        arguments = {"batch_size": 3, "seed": 1, "steps": 12, "flip": True} | changes
        return [images for images, _ in training_batches(crops, **arguments)]

    whole = batches()
    np.testing.assert_array_equal(batches(), whole)
    np.testing.assert_array_equal(batches(start_step=7), whole[7:])
    assert not np.array_equal(batches(seed=2), whole)
    # Six passes over five pictures: were a picture's crop always the same, so would be the batches.
    assert len({image.tobytes() for images in whole for image in images}) > 2 * len(SIZES)


def test_order_and_labels_are_those_without_crops(folder):
    train = open_source(CONFIG, "train", folder)
    few = training_source(train, (2, 3))
    numbers = [
        [int(image.max()) // 50 for image in images]
        for images in training_batches(few, 4, 3, 10, labels=False)
    ]
    order = np.concatenate(numbers).reshape(8, len(SIZES))
    np.testing.assert_array_equal(np.sort(order), np.tile(np.arange(len(SIZES)), (8, 1)))


def test_a_picture_too_small_is_named_with_its_size(folder):
    write_picture(folder / "train/b/small.png", coordinates(0, 1, 9))
    with pytest.raises(ValueError, match=r"small\.png: .*least 2 .* 3 wide\. Received: 1 high, 9"):
        open_source(CONFIG, "train", folder)
    write_picture(folder / "test/b/small.png", coordinates(0, 5, 9))
    with pytest.raises(ValueError, match=r"small\.png: .*least 6 .* 4 wide\. Received: 5 high, 9"):
        open_source(CONFIG, "test", folder)


def test_a_training_picture_that_only_crops_fit_into_is_for_crops(folder):
    train = open_source(CONFIG, "train", folder)
    with pytest.raises(ValueError, match=r"2\.png: .* at least 6 pixels high"):
        train.take([0, 2])
    with pytest.raises(ValueError, match=r"2\.png: .* at least 6 pixels high"):
        open_source(CONFIG, "train", folder, whole=True)
    (folder / "train/a/2.png").unlink()
    (folder / "train/a/4.png").unlink()
    assert len(open_source(CONFIG, "train", folder, whole=True)) == 3


def test_without_crop_all_is_as_strict_as_ever(folder):
    strict = {key: value for key, value in CONFIG.items() if key != "crop"}
    with pytest.raises(ValueError, match="must be 6 pixels high and 4 wide"):
        open_source(strict, "train", folder)


@pytest.mark.parametrize("crop", [[2], [2, 0], [2, 3, 1], "23"])
def test_a_crop_that_is_no_size_is_refused(folder, crop):
    with pytest.raises(ValueError, match="`data.crop` must be"):
        open_source({**CONFIG, "crop": crop}, "train", folder)


def test_kept_pictures_are_those_that_are_read_again(folder, monkeypatch):
    found = {}
    for limit, num_kept in ((2**30, 5), (100, 3), (0, 0)):  # 24 + 63 + 6 bytes are below 100
        monkeypatch.setattr(image_folder, "MEMORY_LIMIT", limit)
        crops = training_source(open_source(CONFIG, "train", folder), CONFIG["crop"])
        found[limit] = [image for image, _ in training_batches(crops, 4, seed=0, steps=10)]
        with monkeypatch.context() as patch:
            patch.setattr(image_folder, "read_image", lambda *_, **__: 1 / 0)
            assert len([i for i in range(5) if is_kept(crops, i)]) == num_kept
    np.testing.assert_array_equal(found[100], found[2**30])
    np.testing.assert_array_equal(found[0], found[2**30])


def is_kept(source, index):
    """Whether a picture is there though files cannot be read."""
    try:
        return source.read(index) is not None
    except ZeroDivisionError:
        return False
