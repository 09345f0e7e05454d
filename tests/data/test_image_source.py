import numpy as np
import pytest
from tests.data.image_files import picture

from vqzoo.data import ImageSource


class Numbered(ImageSource):
    """The least a source must define."""

    def __init__(self, labelled):
        names = ["even", "odd"] if labelled else None
        super().__init__("numbered", [4, 6, 1], names, ["lost.png"])

    @property
    def has_labels(self):
        return self.class_names is not None

    def __len__(self):
        return 3

    def read(self, index):
        return picture(index), index % 2 if self.has_labels else None


def test_a_source_is_a_sequence():
    source = Numbered(labelled=True)
    assert source.image_shape == (4, 6, 1) and source.skipped == 1
    assert [example["label"] for example in source] == [0, 1, 0]
    np.testing.assert_array_equal(source[-1]["image"], picture(2))
    for index in (3, -4):
        with pytest.raises(IndexError, match="below 3"):
            source[index]


@pytest.mark.parametrize("labelled", [True, False])
def test_take_stacks_the_examples(labelled):
    batch = Numbered(labelled).take(np.array([2, 1]))
    np.testing.assert_array_equal(batch["image"], [picture(2), picture(1)])
    assert ("label" in batch) == labelled
    if labelled:
        assert batch["label"].dtype == np.int32 and batch["label"].tolist() == [0, 1]
