import numpy as np
import pytest
from tests.data.image_files import picture

from vqzoo.data import ArraySource

IMAGES = np.stack([picture(i) for i in range(5)])


def test_examples_by_index():
    source = ArraySource(IMAGES, [1, 0, 2, 1, 0], ["a", "b", "c"])
    assert len(source) == 5 and source.image_shape == (4, 6, 1) and source.has_labels
    assert source.class_names == ["a", "b", "c"] and source.skipped == 0
    for index in (0, 3, -1):
        example = source[index]
        np.testing.assert_array_equal(example["image"], IMAGES[index])
        assert example["label"] == [1, 0, 2, 1, 0][index] and isinstance(example["label"], int)
    with pytest.raises(IndexError, match="below 5"):
        source[5]


def test_a_batch_is_its_examples():
    source = ArraySource(IMAGES, np.array([1, 0, 2, 1, 0]))
    batch = source.take(np.array([4, 2]))
    np.testing.assert_array_equal(batch["image"], IMAGES[[4, 2]])
    assert batch["label"].dtype == np.int32 and batch["label"].tolist() == [0, 2]


def test_without_labels_there_is_no_label():
    source = ArraySource(IMAGES)
    assert not source.has_labels and source.class_names is None
    assert set(source[0]) == set(source.take([0])) == {"image"}


@pytest.mark.parametrize("images", [IMAGES.astype("float32"), IMAGES[..., 0], IMAGES.tolist()])
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match="`images` must be a uint8 array .* Received"):
        ArraySource(images)


@pytest.mark.parametrize(
    "labels", [[0] * 4, [0.0] * 5, [[0]] * 5, [0, 1, 2, 3, 0], [0, -1, 2, 1, 0]]
)
def test_other_labels_are_refused(labels):
    with pytest.raises(ValueError, match="`labels` must .* Received"):
        ArraySource(IMAGES, labels, ["a", "b", "c"])
