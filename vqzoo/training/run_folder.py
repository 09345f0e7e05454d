"""The folder of one training run: one process at a time, one configuration, room on the disk."""

import fcntl
import os
import pathlib
import shutil

from vqzoo import config as configs
from vqzoo import files

LOCK = ".lock"
OWN = ("checkpoints", "model")
"""Folders of a run in which nobody else has files."""


class RunFolder:
    """A run folder that this process alone works in, as a context manager.

    Args:
        folder: path, made if it does not exist.

    Raises:
        OSError: on entering, if the folder cannot be written, or another process has it.
    """

    def __init__(self, folder):
        self.path = pathlib.Path(folder)

    def __enter__(self):
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.path / LOCK, "w", encoding="utf-8")
        except OSError as error:
            raise OSError(
                error.errno, f"the run folder {self.path} cannot be written: {error.strerror}"
            ) from error
        # A lock of the kernel's, not a file that counts by being there: a kill leaves none behind.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise BlockingIOError(
                error.errno, f"another process is training in {self.path}; wait for it or stop it"
            ) from error
        return self

    def __exit__(self, *_):
        self._lock.close()  # which also unlocks; so does the end of the process, however it comes

    def check_config(self, config):
        """Compares `config` with that of the folder, if it has one.

        Raises:
            ValueError: if the folder was started with another configuration, naming the first key.
        """
        path = self.path / configs.CONFIG_FILE
        if not path.exists():
            return
        # Flat, so that the first difference has a name that can be looked for in the YAML.
        old, new = _flat(configs.read_config(path)), _flat(config)
        for key in [*new, *old]:
            if old.get(key) != new.get(key):
                raise ValueError(
                    f"{self.path} was started with another configuration: `{key}` is "
                    f"{old.get(key)!r} there. Received: {new.get(key)!r}. Use another `folder`."
                )

    def write_config(self, config):
        """Writes `config.yaml`; from here on the folder is for this configuration alone.

        What a process that was killed left half written in the run's own folders is removed.
        """
        files.write_text(self.path / configs.CONFIG_FILE, configs.dump(config))
        for folder in OWN:
            for left in (self.path / folder).rglob(files.UNFINISHED):
                if left.is_file():
                    left.unlink()

    def check_space(self, needed):
        """Checks that the disk has room for `needed` bytes, before hours are spent.

        Raises:
            OSError: if it has not.
        """
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise OSError(
                f"the run in {self.path} needs about {_megabytes(needed)} and the disk has "
                f"{_megabytes(free)} left; make room, or use another `folder`"
            )

    def size(self):
        """Bytes that the folder's files take."""
        walked = (os.path.join(root, name) for root, _, names in os.walk(self.path) for name in names)
        return sum(os.path.getsize(path) for path in walked)


def _flat(mapping, prefix=""):
    """`{"data.name": "cifar10", "training.prior[0].seed": 1, ...}` of a nested mapping."""
    flat = {}
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            flat |= _flat({f"{name}[{index}]": entry for index, entry in enumerate(value)})
        else:
            flat[name] = value
    return flat


def _megabytes(count):
    return f"{count / 1e6:,.0f} MB"
