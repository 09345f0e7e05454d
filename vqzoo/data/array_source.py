"""Images that are arrays in memory."""

import numpy as np

from vqzoo.checks import checked_array, checked_indices, shown

from vqzoo.data.image_source import ImageSource


class ArraySource(ImageSource):
    """Images and labels from arrays; nothing is copied.

    Args:
        images: uint8 array `[N, H, W, C]`.
        labels: int sequence `[N]` of ids in the order of `class_names`, or None.
        class_names: list of str, or None.
        name: str, what the source is called in messages.
        skipped_names: names of the unreadable files that were left out.

    Raises:
        ValueError: if the shapes, the dtype or a label do not fit.
    """

    def __init__(self, images, labels=None, class_names=None, name="arrays", skipped_names=()):
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
            raise ValueError(
                "`images` must be a uint8 array of shape (images, height, width, channels). "
                f"Received: {shown(images)}"
            )
        super().__init__(name, images.shape[1:], class_names, skipped_names)
        self.images = images
        self.labels = None if labels is None else _checked(labels, len(images), self.class_names)

    @property
    def has_labels(self):
        return self.labels is not None

    def __len__(self):
        return len(self.images)

    def read(self, index):
        return self.images[index], self.labels[index] if self.has_labels else None

    def take(self, indices, generator=None):  # all of one shape: there is nothing to crop
        indices = checked_indices(indices, len(self))  # an array copies, where a slice would not
        batch = {"image": self.images[indices]}
        if self.has_labels:
            batch["label"] = self.labels[indices]
        return batch


def _checked(labels, num_images, class_names):
    """Returns `labels` as int32 `[num_images]`, or raises."""
    labels = checked_array(labels, "labels")
    if labels.shape != (num_images,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {num_images} integers, one for each image. "
            f"Received: {shown(labels)}"
        )
    top = np.iinfo("int32").max if class_names is None else len(class_names) - 1
    if num_images and not 0 <= labels.min() <= labels.max() <= top:
        raise ValueError(
            f"`labels` must lie in 0 .. {top}. Received: {labels.min()} .. {labels.max()}"
        )
    return labels.astype("int32")
