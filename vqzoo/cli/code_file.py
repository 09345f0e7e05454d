"""Files of latents: the `.npz` that `vqzoo encode` writes and `vqzoo decode` reads."""

import pathlib
import zipfile
import zlib

import numpy as np

from vqzoo.files import whole_file
from vqzoo.latents import level_names

FORMAT_VERSION = 1


def write_codes(path, codes, names, autoencoder):
    """Writes codes as a NumPy archive, which appears when it is whole.

    It holds `codes_0`, `codes_1` ... (int32 `(images, h, w)`, coarse to fine; vectors are float32
    `vectors_0`), `names` (str, one an image), `tokenizer_hash` (str, of the model whose codes they
    are) and `format_version`.

    Args:
        path: path of the file, ending in .npz.
        codes: list of int arrays, or of float arrays of vectors.
        names: list of str.
        autoencoder: the one that encoded them.
    """
    levels = dict(zip(level_names(autoencoder.codebook_sizes), codes, strict=True))
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            **levels,
            names=np.array(names),
            tokenizer_hash=np.array(autoencoder.tokenizer_hash()),
            format_version=np.array(FORMAT_VERSION),
        )


def read_codes(path, autoencoder):
    """Reads and checks what `write_codes` wrote: list of codes, list of names.

    Args:
        path: path of the file.
        autoencoder: the one that is to decode the codes.

    Raises:
        ValueError: if it is no such file, of a newer format, holds another model's codes or codes
            of other shapes, or if its names are not those of files below one folder.
    """
    content, levels = _arrays(path), level_names(autoencoder.codebook_sizes)
    for key in ("format_version", "tokenizer_hash", "names", *levels):
        if key not in content:
            raise ValueError(f"{path} is no file of `vqzoo encode`: it has no array {key!r}")
    if content["format_version"].tolist() != FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {content['format_version']}; this vqzoo reads "
            f"{FORMAT_VERSION}"
        )
    owner, right = str(content["tokenizer_hash"]), autoencoder.tokenizer_hash()
    if owner != right:
        raise ValueError(
            f"{path} holds the codes of another model: its tokenizer hash must be "
            f"{right[:12]}... Received: {owner[:12]}..."
        )
    names = [str(name) for name in content["names"].ravel()]
    _check_names(path, names)
    return _levels(path, content, len(names), autoencoder), names


def _arrays(path):
    """Every array of a NumPy archive, by name; nothing in it is executed."""
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("not an archive")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {key: np.asarray(archive[key]) for key in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a whole file that `vqzoo encode` wrote") from error


def _check_names(path, names):
    """Raises ValueError if a name leads out of the output folder, or two to one file."""
    stems = set()
    for name in names:
        parts = pathlib.PurePath(name)
        if parts.anchor or ".." in parts.parts or not parts.name or "\0" in name:
            raise ValueError(
                f"{path}: names must be relative paths without `..`, so that every image lies "
                f"below the output folder. Received: {name!r}"
            )
        stem = parts.with_suffix("")
        if stem in stems:
            raise ValueError(f"{path}: names must be distinct. Received: {name!r} twice")
        stems.add(stem)


def _levels(path, content, count, autoencoder):
    """The latents, coarse to fine, of `count` images and of the model's shapes."""
    sizes = autoencoder.codebook_sizes
    shapes = [(count, *shape) for shape in autoencoder.latent_shapes]
    right = dict(zip(level_names(sizes), shapes, strict=True))
    levels = [key for key in content if key.startswith(("codes_", "vectors_"))]
    received = {key: content[key].shape for key in levels}
    if right != received:
        raise ValueError(
            f"{path}: the arrays of codes must be {_shown(right)} for {count} names and this "
            f"model. Received: {_shown(received)}"
        )
    for key, size in zip(right, sizes):
        if content[key].dtype.kind not in ("f" if size is None else "iu"):
            kind = "floats" if size is None else "integers"
            raise ValueError(f"{path}: {key} must be {kind}. Received: {content[key].dtype}")
    return [content[key] for key in right]


def _shown(shapes):
    return ", ".join(f"{key} {tuple(shape)}" for key, shape in shapes.items())
