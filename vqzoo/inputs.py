"""Checks of what users hand to a model: images, masks, labels, seeds."""

import difflib
import numbers

import numpy as np

from vqzoo.checks import checked_array, shown


def checked_images(images, image_shape, stride, exact=False):
    """The images as an array.

    Args:
        images: uint8 `(batch, height, width, channels)`, batch 1 or more.
        image_shape: (height, width, channels) of the training data.
        stride: int that must divide height and width; None if only those of `image_shape` fit.
        exact: bool; whether height and width must be those of `image_shape`.

    Raises:
        ValueError: if type, rank, number of channels or size is wrong.
    """
    images = checked_array(images, "images")
    height, width, channels = image_shape
    exact, stride = exact or stride is None, stride or 1
    size = f"{height}, {width}" if exact else "height, width"
    right = f"`images` must be uint8 (batch, {size}, {channels})"
    received = f"Received: {images.dtype} {images.shape}"
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != channels:
        raise ValueError(f"{right}. {received}")
    if exact and images.shape[1:3] != (height, width):
        raise ValueError(f"{right}. {received}")
    if not len(images) or not all(images.shape[1:3]) or any(n % stride for n in images.shape[1:3]):
        raise ValueError(
            f"{right}, not empty, its height and width multiples of {stride}. {received}"
        )
    return images


def pixel_mask(mask, num_images, image_shape, latent_shapes):
    """A mask on pixels, bool `(num_images, height, width)`, True where to sample.

    Args:
        mask: bool array on pixels or on the grid of one level's codes, with or without a leading
            batch axis.
        num_images: int.
        image_shape: (height, width, channels).
        latent_shapes: list of (height, width).

    Raises:
        ValueError: if type or shape is wrong.
    """
    mask = checked_array(mask, "mask")
    grids = [tuple(image_shape[:2]), *map(tuple, latent_shapes)]
    if mask.ndim == 2:
        mask = np.broadcast_to(mask, (num_images, *mask.shape))
    fits = mask.ndim == 3 and mask.shape[0] == num_images and mask.shape[1:] in grids
    if mask.dtype != bool or not fits:
        shapes = " or ".join(f"({num_images}, {height}, {width})" for height, width in grids)
        raise ValueError(
            f"`mask` must be bool {shapes}, with or without the first axis, True where to sample. "
            f"Received: {mask.dtype} {mask.shape}"
        )
    rows, columns = (whole // part for whole, part in zip(image_shape, mask.shape[1:]))
    return mask.repeat(rows, axis=1).repeat(columns, axis=2)


def code_mask(pixels, latent_shape):
    """The codes that a mask on pixels touches: bool `(batch, h, w)` of `(batch, height, width)`."""
    batch, height, width = pixels.shape
    rows, columns = latent_shape
    return pixels.reshape(batch, rows, height // rows, columns, width // columns).any((2, 4))


def own_sizes(coarsest, shapes):
    """The shapes of levels, scaled to the height and width of the coarsest level's array.

    Args:
        coarsest: array `(batch, height, width, ...)`; of another rank it changes nothing.
        shapes: list of (height, width, ...), those of training, coarse to fine.
    """
    own, first = checked_array(coarsest, "codes").shape, shapes[0]
    if len(own) != len(first) + 1:
        return shapes
    return [
        (height * own[1] // first[0], width * own[2] // first[1], *rest)
        for height, width, *rest in shapes
    ]


def label_ids(labels, class_names):
    """Labels with names turned into ids; ids stay as they are, and None stays None.

    Args:
        labels: str, int, a list or array of them, or None.
        class_names: list of str, in the order of their ids, or None.

    Raises:
        ValueError: if a name is not in `class_names`, or a label is neither name nor id.
    """
    if labels is None or isinstance(labels, numbers.Integral):
        return labels
    if isinstance(labels, str):
        if labels not in (class_names or ()):
            known = ", ".join(class_names or ["none: the model knows no names"])
            close = difflib.get_close_matches(labels, class_names or (), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"`labels` must be of {known}. Received: {shown(labels)}{hint}")
        return class_names.index(labels)
    if isinstance(labels, (list, tuple)) or (isinstance(labels, np.ndarray) and labels.ndim == 1):
        return checked_array([label_ids(label, class_names) for label in labels], "labels")
    return checked_array(labels, "labels")  # such as a tensor of ids
