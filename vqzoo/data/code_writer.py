"""Writes a code store from a stream of batches, whole or not at all."""

import hashlib
import io
import itertools
import shutil

import numpy as np

from vqzoo import files
from vqzoo.checks import checked_array, shown
from vqzoo.data import code_manifest
from vqzoo.data.code_manifest import LABELS

SHARD_BYTES = 2**26
"""Size of a shard, and about what is held in memory: 64 MiB."""


def write_store(folder, batches, codebook_sizes, described):
    """Writes a store to a temporary folder beside its place, then renames it.

    Args:
        folder: path that does not exist yet.
        batches, codebook_sizes: as for `CodeStore.write`.
        described: dict of the manifest's entries `tokenizer_hash`, `class_names` and `config`.

    Raises:
        FileExistsError, ValueError, OSError: as `CodeStore.write`.
    """
    if folder.exists():
        raise FileExistsError(f"`folder` must not exist yet. Received: {str(folder)!r}")
    # Beside its place, so that the rename stays within one file system and is a single step.
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run left
    partial.mkdir(parents=True)
    try:
        manifest = _write_shards(partial, batches, codebook_sizes, described)
        _write_file(partial / code_manifest.FILE, code_manifest.encode(manifest))
        files.publish_folder(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_shards(folder, batches, codebook_sizes, described):
    """Writes all shards; returns the manifest."""
    names = [code_manifest.level_name(level) for level in range(len(codebook_sizes))]
    limits = dict(zip(names, codebook_sizes, strict=True))
    limits[LABELS] = code_manifest.num_labels(described["class_names"])
    # Checked as they stream by: a bad batch at the end must not leave a store of the good ones.
    batches = _checked(batches, limits)
    first = next(batches, None)
    if first is None:
        raise ValueError("`batches` must hold at least one image. Received: none")
    row_bytes = sum(array[:1].nbytes for array in first.values())
    shard_size, count, shards = max(1, SHARD_BYTES // row_bytes), 0, []
    for rows in _regrouped(itertools.chain([first], batches), shard_size):
        suffix = f"-{len(shards):05d}.npy"
        shards.append({key: _write_array(folder / (key + suffix), rows[key]) for key in rows})
        count += len(rows[names[0]])
    levels = [
        {"name": name, "shape": list(first[name].shape[1:]), "num_embeddings": limits[name]}
        for name in names
    ]
    files = {"levels": levels, "count": count, "shard_size": shard_size, "shards": shards}
    return {"format_version": code_manifest.FORMAT_VERSION, **described, **files}


def _checked(batches, limits):
    """Yields the batches as arrays of the smallest dtype, all with the same keys and shapes.

    Args:
        batches: iterable of dicts of int arrays.
        limits: dict from key to the number of values that its integers can take.
    """
    expected = None
    try:
        batches = iter(batches)
    except TypeError:
        raise TypeError(
            f"`batches` must be an iterable of dicts. Received: {shown(batches)}"
        ) from None
    for batch in batches:
        if not isinstance(batch, dict):
            raise TypeError(f"`batches` must hold dicts. Received: {shown(batch)} in it")
        arrays = {key: _narrow(key, batch[key], limits) for key in sorted(batch, key=str)}
        shapes = {key: array.shape[1:] for key, array in arrays.items()}
        expected = expected or shapes
        codes = set(limits) - {LABELS}
        if shapes != expected or set(shapes) - {LABELS} != codes:
            raise ValueError(
                f"`batches` must all hold {sorted(codes)} with shapes {expected}. "
                f"Received: {shapes}"
            )
        lengths = {key: len(array) for key, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"`batches` must hold arrays of one length. Received: {lengths}")
        if 0 not in lengths.values():
            yield arrays


def _narrow(key, array, limits):
    """Returns `array` in the dtype it is stored in, or raises if a value is out of range."""
    if key not in limits:
        raise ValueError(f"`batches` must have keys of {sorted(limits)}. Received: {key!r}")
    limit, rank, array = limits[key], 1 if key == LABELS else 3, checked_array(array, "batches")
    if array.ndim != rank or array.dtype.kind not in "iu":
        raise ValueError(
            f"`batches`: {key!r} must be integers of rank {rank}. "
            f"Received: {array.dtype} of shape {array.shape}"
        )
    if array.size and not 0 <= array.min() <= array.max() < limit:
        raise ValueError(
            f"`batches`: {key!r} must lie in 0 .. {limit - 1}. "
            f"Received: {array.min()} .. {array.max()}"
        )
    return array.astype(code_manifest.dtype_of(limit))


def _regrouped(batches, size):
    """Yields the same rows in groups of `size`, the last one smaller."""
    waiting, room = [], size
    for batch in batches:
        length = len(next(iter(batch.values())))
        # Where this batch is cut: after the rows that still fit, then after every `size` more.
        cuts = [0, *range(room, length, size), length]
        for start, stop in itertools.pairwise(cuts):
            waiting.append({key: array[start:stop] for key, array in batch.items()})
            room -= stop - start
            if room == 0:
                yield _joined(waiting)
                waiting, room = [], size
    if waiting:
        yield _joined(waiting)


def _joined(batches):
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


def _write_array(path, array):
    """Writes one shard of one level; returns its entry in the manifest."""
    # In memory first, so that the hash is that of what was meant and not of what a disk made of it.
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    content = buffer.getbuffer()
    _write_file(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return {"file": path.name, "bytes": content.nbytes, "sha256": digest}


def _write_file(path, content):
    """Writes bytes; `publish_folder` waits until they are on the disk."""
    try:
        path.write_bytes(content)
    except OSError as error:
        message = f"cannot write the code store: {error.strerror}"
        raise OSError(error.errno, message, str(path)) from error
