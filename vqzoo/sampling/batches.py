"""Splitting work into batches of equal size."""

import math

import keras
import numpy as np

from vqzoo.checks import checked_int
from vqzoo.progress import track


def even_batches(total, batch_size):
    """Slices of almost equal length, none longer than `batch_size`, that cover `range(total)`.

    Few distinct lengths keep compiled functions few: 100 images by at most 64 are two times 50.

    Args:
        total: int, 0 or more.
        batch_size: int, 1 or more.

    Returns:
        list of slices, in order.
    """
    count = -(-total // batch_size)
    size = -(-total // count) if count else 0
    return [slice(i * size, min((i + 1) * size, total)) for i in range(count)]


def padded_batches(num_images, batch_size):
    """Batches of images to be drawn, filled up to few sizes, while progress is shown.

    Args:
        num_images: int, 0 or more.
        batch_size: int, most images in one batch.

    Yields:
        Pair of the slice of a batch and int array of the indices in it, then of its last one over
        and over up to a power of two.
    """
    batches = even_batches(num_images, batch_size)
    for rows in track(batches, len(batches), "sampling batch"):
        # Each other size would be compiled anew.
        size = 2 ** math.ceil(math.log2(batches[0].stop))
        yield rows, np.minimum(np.arange(rows.start, rows.start + size), rows.stop - 1)


def in_batches(call, arrays, batch_size, what):
    """Calls a function on batches of rows; the joined results, always a list of arrays.

    Args:
        call: function of a list of arrays, or of the array if there is one, to one or a list.
        arrays: list of arrays of the same length.
        batch_size: int, most rows in one call.
        what: str, what a progress line calls a batch.

    Raises:
        ValueError: if `batch_size` is no int of 1 or more.
    """
    batches = even_batches(len(arrays[0]), checked_int(batch_size, "batch_size"))
    results = []
    for rows in track(batches, len(batches), what):
        batch = [array[rows] for array in arrays]
        results.append(keras.tree.flatten(call(batch if len(batch) > 1 else batch[0])))
    return [np.concatenate(parts) for parts in zip(*results)]
