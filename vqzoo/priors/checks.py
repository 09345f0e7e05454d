"""Checks of the labels and known codes that users hand to a prior."""

import numpy as np

from vqzoo.checks import checked_array, checked_int, shown
from vqzoo.latents import checked_latents
from vqzoo.sampling.options import SamplingOptions


def checked_labels(labels, num_images, num_classes):
    """The labels as int32 `(num_images,)`; `None` stays `None`.

    Args:
        labels: int, int array `(num_images,)` or `None`.
        num_images: int.
        num_classes: int, or `None` for an unconditional prior, that takes no labels.

    Raises:
        ValueError: if labels come to an unconditional prior, or if their number, type or range is
            wrong.
    """
    if labels is None:
        return None
    if num_classes is None:
        raise ValueError(
            f"`labels` must be None: the prior has no classes. Received: {shown(labels)}"
        )
    array = checked_array(labels, "labels")
    if array.dtype.kind not in "iu" or array.shape not in ((), (num_images,)):
        raise ValueError(
            f"`labels` must be an int or {num_images} of them. "
            f"Received: shape {array.shape}, {array.dtype}"
        )
    if array.size and not 0 <= array.min() <= array.max() < num_classes:
        raise ValueError(
            f"`labels` must be in 0..{num_classes - 1}. Received: {array.min()}..{array.max()}"
        )
    return np.broadcast_to(array, (num_images,)).astype("int32")


def check_draw(num_images, seed, options, first_index, batch_size):
    """Checks what every prior's `sample` takes beside labels and known codes.

    Raises:
        ValueError, TypeError: naming the argument.
    """
    num_images = checked_int(num_images, "num_images", 0)  # Python's, which cannot overflow
    checked_int(seed, "seed", 0, 2**64 - 1)
    checked_int(first_index, "first_index", 0, 2**32 - 1 - num_images)
    checked_int(batch_size, "batch_size")
    if not isinstance(options, SamplingOptions):
        raise TypeError(f"`options` must be SamplingOptions. Received: {shown(options)}")


def checked_known(known, num_images, shapes, sizes):
    """Known codes and masks as two lists of arrays; `None` becomes masks that are all true.

    Args:
        known: pair (codes, masks) of lists, one map `(num_images, height, width)` for each level;
            a mask is true where a code is to be drawn, and what the codes hold there is ignored.
        num_images: int.
        shapes: list of (height, width).
        sizes: list of int, number of codes of each level.

    Raises:
        ValueError: if a shape, type or known code is wrong.
    """
    if known is None:
        codes = [np.zeros((num_images, *shape), "int32") for shape in shapes]
        return codes, [np.ones(level.shape, bool) for level in codes]
    lists = (list, tuple)
    paired = isinstance(known, lists) and len(known) == 2
    if not paired or not all(isinstance(part, lists) for part in known):
        raise ValueError(
            f"`known` must be a pair of lists, codes and masks. Received: {shown(known)}"
        )
    codes, masks = known
    masks = [checked_array(mask, "known") for mask in masks]
    wanted = [(num_images, *shape) for shape in shapes]
    received = [mask.shape for mask in masks]
    if received != wanted or any(mask.dtype != bool for mask in masks):
        dtypes = [str(mask.dtype) for mask in masks]
        raise ValueError(
            f"`known` masks must be bool of shapes {wanted}. Received: {received} of {dtypes}"
        )
    if len(codes) != len(masks):
        raise ValueError(f"`known` must hold a map of codes for each mask. Received: {len(codes)}")
    codes = [checked_array(level, "known") for level in codes]
    if any(level.shape != mask.shape for level, mask in zip(codes, masks)):
        raise ValueError(
            f"`known` codes must have the shapes {wanted}. "
            f"Received: {[level.shape for level in codes]}"
        )
    codes = [np.where(mask, 0, level) for level, mask in zip(codes, masks)]
    return checked_latents(codes, shapes, sizes, argument="known"), masks
