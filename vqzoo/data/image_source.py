"""The contract of every source of images: a sequence of examples, read by index."""

import numpy as np

from vqzoo.checks import checked_class_names, checked_index, checked_indices
from vqzoo.data.any_size import check_size, cropped

MEMORY_LIMIT = 2**30
"""Bytes of decoded images that a source keeps in memory: 1 GiB."""


class ImageSource:
    """A fixed sequence of images, with or without labels.

    Images are given in one shape: of larger pictures their centre. `source[i]` is
    `{"image": uint8 [H, W, C], "label": int}`, without "label" where the source has none. The same
    index always gives the same example, so that the order in which images are seen is decided by
    indices alone. A subclass defines `has_labels`, `__len__` and `read`.

    Args:
        name: str, what the source is called in messages.
        image_shape: (height, width, channels) in which images are given, in pixels.
        class_names: list of str in the order of the label ids, or None without labels.
        skipped_names: names of the unreadable files that were left out.
    """

    def __init__(self, name, image_shape, class_names=None, skipped_names=()):
        self.name = name
        self.image_shape = tuple(image_shape)
        self.class_names = checked_class_names(class_names)
        self.skipped_names = list(skipped_names)

    @property
    def skipped(self):
        """int, number of unreadable files that were left out."""
        return len(self.skipped_names)

    @property
    def has_labels(self):
        """bool, whether examples have a "label"."""
        raise NotImplementedError

    def read(self, index):
        """The whole uint8 picture `[H, W, C]` and the int label (or None) at `0 <= index < len`."""
        raise NotImplementedError

    def describe(self, index):
        """What the picture at `index` is called in messages: str."""
        return f"{self.name}: image {index}"

    def __getitem__(self, index):
        image, label = self._read_cropped(checked_index(index, len(self)), None)
        return {"image": image} if label is None else {"image": image, "label": int(label)}

    def _read_cropped(self, index, generator):
        picture, label = self.read(index)
        size = self.image_shape[:2]
        check_size(self.describe(index), picture, *size)
        return cropped(picture, *size, generator), label

    def take(self, indices, generator=None):
        """Returns the examples at `indices` as new arrays, which the caller may change.

        Args:
            indices: int sequence or array `[B]`, each in `0 .. len - 1`.
            generator: `numpy.random.Generator` that draws where larger pictures are cropped, or
                None for their centres.

        Returns:
            `{"image": uint8 [B, H, W, C], "label": int32 [B]}`, without "label" where the source
            has none.

        Raises:
            ValueError: if a picture is smaller than `image_shape`, naming it.
        """
        indices = checked_indices(indices, len(self)).tolist()
        images, labels = zip(
            *(self._read_cropped(index, generator) for index in indices), strict=True
        )
        batch = {"image": np.stack(images)}
        if self.has_labels:
            batch["label"] = np.array(labels, "int32")
        return batch
