"""Files that are either whole or absent, whatever moment the process is killed at."""

import json
import os
import shutil


def sync(path):
    """Waits until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path, text):
    """Writes a text file under a temporary name and renames it when it is whole."""
    path = os.fspath(path)
    temporary = f"{path}.part"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync(os.path.dirname(path) or ".")


def write_json(path, content):
    """Writes a JSON file as `write_text` does; numbers that are not finite are a `ValueError`."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def publish_folder(temporary, final):
    """Gives the folder `temporary` its name `final` once all its files are on the disk."""
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
