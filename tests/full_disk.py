"""Disks that tests fill up: a small one of their own, or a limit that stands for it anywhere."""

import contextlib
import os
import pathlib
import resource
import subprocess

import pytest

SIZE = 160 * 2**20
"""Bytes of the small disk: more than a run asks for before it starts."""


class SmallDisk:
    """A tmpfs of its own, mounted at `path`; skips the test where this user may not mount."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.path)]
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")

    def fill(self):
        """Takes all the room that is left."""
        free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize
        with open(self.path / "ballast", "wb") as file:
            if free:
                os.posix_fallocate(file.fileno(), 0, free)

    def clear(self):
        """Gives that room back."""
        (self.path / "ballast").unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "-l", str(self.path)], check=True)


class LimitedFiles:
    """A folder in a process that may write no byte to any file: it fails in the same places."""

    def __init__(self, path):
        self.path, self.before = pathlib.Path(path), resource.getrlimit(resource.RLIMIT_FSIZE)
        self.path.mkdir()

    def fill(self):
        """From here on every write to a file fails with `File too large`."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self.before[1]))

    def clear(self):
        """Lifts the limit."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)

    def close(self):
        self.clear()


@contextlib.contextmanager
def disk_of(kind, path):
    """A `SmallDisk` or `LimitedFiles` at a path that does not exist yet."""
    disk = {"tmpfs": SmallDisk, "limit": LimitedFiles}[kind](path)
    try:
        yield disk
    finally:
        disk.close()


def files_below(path):
    """Content of every file below a folder, by path; the ballast is none of them."""
    found = (file for file in pathlib.Path(path).rglob("*") if file.is_file())
    return {file: file.read_bytes() for file in found if file.name != "ballast"}
