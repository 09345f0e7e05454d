"""Weights that the package does not carry: the cache, and what fills it."""

import os
import pathlib
import shutil
import tempfile
import urllib.request

from vqzoo import config as configs
from vqzoo import manifest as manifests
from vqzoo.progress import track

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


def cache_folder():
    """Where downloads go: `$VQZOO_HOME`, `$KERAS_HOME/models/vqzoo` or `~/.keras/models/vqzoo`."""
    if os.environ.get("VQZOO_HOME"):
        return pathlib.Path(os.environ["VQZOO_HOME"])
    home = os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras"
    return pathlib.Path(home) / "models" / "vqzoo"


def locate(name, file):
    """Path of one file of an entry's weights, in the package or the cache, or None."""
    places = (configs.folder_of("pretrained"), cache_folder())
    return next((place / name / file for place in places if (place / name / file).is_file()), None)


def fetch(name, files):
    """Finds the files of an entry and downloads those that are neither here nor in the cache.

    Args:
        name: str, an entry.
        files: dict of file name to its entry of the manifest in the package.

    Returns:
        dict of file name to path. Every file has the checksum that the manifest states.

    Raises:
        FileNotFoundError: if a file is missing and there is nowhere to download it from.
        ConnectionError: if the download fails.
        ValueError: if a file does not have its checksum.
    """
    found = {}
    for file, entry in files.items():
        path = locate(name, file)
        if path is None:
            path = _download(name, file, entry)
        else:
            manifests.check_file(path, entry)
        found[file] = path
    return found


def verify(name, file, entry):
    """Pair of the path of an entry's file and None, or what is wrong with it."""
    path = locate(name, file)
    if path is None:
        return cache_folder() / name / file, "is not here; `vqzoo.load` downloads it"
    try:
        manifests.check_file(path, entry)
    except ValueError as error:
        return path, str(error)
    return path, None


def _download(name, file, entry):
    """Puts one file into the cache under its name, once its checksum is right."""
    target, source = cache_folder() / name / file, _source(name, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the target's own folder: a rename from another file system would be a copy.
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{file}-")
    try:
        with os.fdopen(descriptor, "wb") as output:
            _copy(source, output, entry.get("bytes", 0), f"downloading {file}, MiB")
        manifests.check_file(temporary, entry)
        os.replace(temporary, target)
    except BaseException:  # ctrl-c too must leave no half file behind
        os.unlink(temporary)
        raise
    return target


def _source(name, file):
    """Address or path to read one file from, as `$VQZOO_WEIGHTS_URL` says."""
    base = os.environ.get("VQZOO_WEIGHTS_URL", "").rstrip("/")
    here = f"put it at {cache_folder() / name / file}, or run `vqzoo train {name}`"
    if not base:
        raise FileNotFoundError(
            f"the weights file {file} of {name} is not here: {here}, or set VQZOO_WEIGHTS_URL to "
            f"an http(s) address or a folder that has {name}/{file}"
        )
    if not base.startswith(("http://", "https://")):
        path = pathlib.Path(base) / name / file
        if not path.is_file():
            raise FileNotFoundError(f"VQZOO_WEIGHTS_URL has no {path}: {here}")
        return path
    if os.environ.get("VQZOO_OFFLINE", "0") not in ("", "0"):
        raise FileNotFoundError(
            f"the weights file {file} of {name} is not here and VQZOO_OFFLINE forbids to "
            f"download it: {here}"
        )
    return f"{base}/{name}/{file}"


def _copy(source, output, size, what):
    """Copies a path or a web address to an open file."""
    if isinstance(source, pathlib.Path):
        with open(source, "rb") as stream:
            shutil.copyfileobj(stream, output)
        return
    try:
        with urllib.request.urlopen(source, timeout=_TIMEOUT_SECONDS) as stream:
            chunks = iter(lambda: stream.read(_CHUNK_BYTES), b"")
            for chunk in track(chunks, max(1, -(-size // _CHUNK_BYTES)), what):
                output.write(chunk)
    except OSError as error:  # URLError, timeouts and broken connections are all of this kind
        raise ConnectionError(f"cannot download {source}: {error}") from error
