"""The training images that are most like given ones: whether a sample is a copy, for the eye."""

import math

import numpy as np

from vqzoo.data import eval_batches, images_at_once
from vqzoo.evaluation.kernel_distance import squared_distances
from vqzoo.evaluation.pictures import grid
from vqzoo.progress import track


def nearest_images(images, source, count=5, network=None):
    """The images of a source that are nearest to given ones, in one pass over it.

    Args:
        images: uint8 `(images, height, width, channels)`.
        source: `vqzoo.data.ImageSource` of `count` images or more.
        count: int, how many to find for each.
        network: `FeatureNetwork` between whose features the distance is taken; None: between
            pixels on -1..1.

    Returns:
        `(indices, distances)`, both `(images, count)`, nearest first: int64 places in the source
        and float64 Euclidean distances.

    Raises:
        ValueError: if the source is too small.
    """
    if len(source) < count:
        raise ValueError(f"`source` must hold {count} images or more. Received: {len(source)}")
    rows, start = _rows(images, network), 0
    squares = np.full((len(images), count), np.inf)
    indices = np.zeros((len(images), count), "int64")
    batch_size = images_at_once(source)
    batches = eval_batches(source, batch_size)
    total = math.ceil(len(source) / batch_size)
    for batch in track(batches, total, "searching the nearest training images"):
        others = _rows(batch["image"], network)
        new = np.broadcast_to(np.arange(start, start + len(others)), (len(rows), len(others)))
        squares = np.concatenate([squares, squared_distances(rows, others)], axis=1)
        best = np.argsort(squares, axis=1, kind="stable")[:, :count]
        squares = np.take_along_axis(squares, best, axis=1)
        indices = np.take_along_axis(np.concatenate([indices, new], axis=1), best, axis=1)
        start += len(others)
    return indices, np.sqrt(squares)


def _rows(images, network):
    """What distances are taken of, float64 `(images, features)`."""
    if network is not None:
        return network(images)[0].astype("float64")
    return images.reshape(len(images), -1) / 127.5 - 1


def neighbours_picture(images, source, count=5, network=None):
    """Given images in the first column, and beside each the nearest of a source, nearest first.

    It shows images of the source: whether their licence allows that is for the caller to know.

    Args:
        images, source, count, network: as for `nearest_images`.

    Returns:
        uint8 array `(grid height, grid width, channels)`.
    """
    indices, _ = nearest_images(images, source, count, network)
    found = source.take(indices.reshape(-1))["image"].reshape(*indices.shape, *images.shape[1:])
    rows = np.concatenate([images[:, None], found], axis=1)
    return grid(rows.reshape(-1, *images.shape[1:]), count + 1)
