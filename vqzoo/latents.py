"""Levels of latents: maps of codes, or arrays of vectors where `codebook_sizes` has a None."""

import numpy as np

from vqzoo.checks import checked_array


def level_names(codebook_sizes):
    """Names of the levels in files and signatures: `codes_0`, or `vectors_0` for vectors."""
    kinds = ("vectors" if size is None else "codes" for size in codebook_sizes)
    return [f"{kind}_{level}" for level, kind in enumerate(kinds)]


def are_codes(codebook_sizes):
    """Whether there are levels, and every one is a map of codes."""
    return bool(codebook_sizes) and None not in codebook_sizes


def checked_latents(latents, shapes, sizes, argument="latents"):
    """The list of levels as int32 arrays of codes and float32 arrays of vectors.

    Args:
        latents: list of one array for each level: ints `(batch, height, width)` for codes, floats
            `(batch, *shape)` for vectors.
        shapes: list of a level's shape without the batch.
        sizes: list of int, number of codes of each level, or None for a level of vectors.
        argument: str, the name in error messages.

    Raises:
        ValueError: if number of levels, rank, size, type or range differ from what is asked.
    """
    if not isinstance(latents, (list, tuple)) or len(latents) != len(shapes):
        got = len(latents) if isinstance(latents, (list, tuple)) else type(latents).__name__
        raise ValueError(f"`{argument}` must be a list of {len(shapes)} levels. Received: {got}")
    arrays = [checked_array(level, argument) for level in latents]
    for array, shape in zip(arrays, shapes):
        if array.ndim == 0 or array.shape[1:] != tuple(shape) or len(array) != len(arrays[0]):
            right = ", ".join(map(str, shape))
            raise ValueError(
                f"`{argument}` must hold arrays of shape (batch, {right}). Received: {array.shape}"
            )
    checks = (_checked_vectors if size is None else _checked_codes for size in sizes)
    return [check(array, size, argument) for check, array, size in zip(checks, arrays, sizes)]


def _checked_codes(array, size, argument):
    if array.dtype.kind not in "iu":
        raise ValueError(f"`{argument}` must hold integers. Received: {array.dtype}")
    if array.size and not 0 <= array.min() <= array.max() < size:
        raise ValueError(
            f"`{argument}` must hold codes in 0..{size - 1}. Received: {array.min()}..{array.max()}"
        )
    return array.astype("int32")


def _checked_vectors(array, _, argument):
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        received = array.dtype if array.dtype.kind != "f" else "nan or infinity"
        raise ValueError(f"`{argument}` must hold finite floats. Received: {received}")
    return array.astype("float32")
