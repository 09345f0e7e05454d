"""Output files and folders that appear when they are whole, or not at all."""

import contextlib
import json
import math
import os
import pathlib
import shutil

UNFINISHED = ".[0-9]*-*"
"""Pattern of the names of files that are being written; a killed process leaves one behind."""


@contextlib.contextmanager
def whole_file(path):
    """Gives a temporary path in the same folder, which becomes `path` when the block ends well.

    Missing folders are made. If the block fails, what stood at `path` stays, and nothing is left.
    The temporary name ends as `path` does, since Keras wants its own suffix.

    Args:
        path: path of the file to write or replace.

    Raises:
        OSError: naming `path`, if it cannot be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"cannot write {path}: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file in UTF-8 and waits until it is on the disk; errors as for `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
    sync(pathlib.Path(path).parent)


def write_json(path, content):
    """Writes a JSON file as `write_text` does; numbers that are not finite are a `ValueError`."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def finite(value):
    """`value` with NaN and infinities as None, however deep in dicts and lists."""
    # JSON has neither, and Python's own spelling of them breaks other readers.
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sync(path):
    """Waits until a file, or a folder's list of names, is on the disk.

    Raises:
        OSError: if it cannot be opened or written.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_folder(temporary, final):
    """Gives the folder `temporary` its name `final` once all its files are on the disk.

    Renaming is atomic, but a file system may write the name before the contents: after a power cut
    a whole name would stand for half a file. Hence the waiting, for files and for both folders.

    Raises:
        OSError: if something cannot be written; `temporary` then keeps its name.
    """
    for entry in os.scandir(temporary):
        sync(entry.path)
    sync(temporary)
    os.replace(temporary, final)
    sync(os.path.dirname(os.fspath(final)))


def discard_folder(path):
    """Removes a folder; killed on the way, it leaves a hidden name and no half folder."""
    parent, name = os.path.split(os.fspath(path))
    hidden = path if name.startswith(".") else os.path.join(parent, f".old-{name}")
    os.replace(path, hidden)
    shutil.rmtree(hidden)
