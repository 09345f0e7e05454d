"""Manifests: the checksums and promises that lie beside a model's files."""

import hashlib
import json
import os
import pathlib

import vqzoo
from vqzoo.files import write_text

FORMAT_VERSION = 1
"""Version of a model folder that this package writes, and the newest that it reads."""

FILE = "manifest.json"
AUTOENCODER, PRIOR = "autoencoder.weights.h5", "prior.weights.h5"


def sha256(path):
    """Hexadecimal SHA-256 of a whole file.

    Raises:
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(folder, names, **promises):
    """Writes the manifest of the files `names` of a folder.

    Args:
        folder: path of the folder, which holds the files already.
        names: list of file names.
        **promises: further JSON values, such as `tokenizer_hash` and `class_names`.
    """
    folder = pathlib.Path(folder)
    files = {
        name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in names
    }
    content = {
        "format_version": FORMAT_VERSION,
        "vqzoo_version": vqzoo.__version__,
        **promises,
        "files": files,
    }
    write_text(folder / FILE, json.dumps(content, indent=1) + "\n")


def read(folder):
    """The manifest of a folder, as `write` made it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is no manifest, or of a newer format than this package reads.
    """
    path = pathlib.Path(folder) / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, files = int(content["format_version"]), content["files"]
        checksums = {name: files[name]["sha256"] for name in files}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a whole manifest: {error!r}") from error
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}; this vqzoo reads up to {FORMAT_VERSION}. "
            f"Install vqzoo {content.get('vqzoo_version', 'of a newer version')} or newer"
        )
    # A manifest may come from anywhere: `../` in a name would make `load` read outside its folder.
    if any(pathlib.PurePath(name).name != name for name in checksums):
        raise ValueError(f"{path} must name files of its own folder. Received: {list(checksums)}")
    return content


def check_file(path, entry):
    """Checks one file against its entry of a manifest, before anything parses it.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if its content is not what the manifest was written for.
    """
    found = sha256(path)
    if found != entry["sha256"]:
        raise ValueError(
            f"{path} is damaged or was changed: its SHA-256 must be {entry['sha256']} "
            f"({entry.get('bytes', '?')} bytes). Received: {found} ({os.path.getsize(path)} bytes)"
        )
