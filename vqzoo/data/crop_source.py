"""The pictures of a source, cropped to another size."""

from vqzoo.checks import checked_sizes
from vqzoo.data.image_source import ImageSource


class CropSource(ImageSource):
    """The whole pictures of another source, given as crops of one size.

    Their centres, or in `training_batches` parts at random places.

    Args:
        source: `ImageSource`, or a part of one.
        size: (height, width) of the crops in pixels.

    Raises:
        ValueError: if `size` is no such pair; on reading, if a picture is smaller, naming it.
    """

    def __init__(self, source, size):
        shape = (*checked_sizes(size, "crop", "(height, width)", 2), source.image_shape[2])
        super().__init__(source.name, shape, source.class_names, source.skipped_names)
        self._source = source

    @property
    def has_labels(self):
        return self._source.has_labels

    def __len__(self):
        return len(self._source)

    def read(self, index):
        return self._source.read(index)

    def describe(self, index):
        return self._source.describe(index)
