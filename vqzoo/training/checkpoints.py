"""Checkpoints of a whole training state: weights, optimizer, averages, seeds, step."""

import hashlib
import json
import pathlib
import re
import warnings

import keras
import numpy as np

from vqzoo import files

FORMAT_VERSION = 1
KEPT = 2
WEIGHTS, SEEDS, MANIFEST = "model.weights.h5", "seeds.npz", "checkpoint.json"


class Checkpoints:
    """The checkpoints of one training stage: `FOLDER/step_00000938/` and the like.

    Each holds `model.weights.h5` (weights, averages of codebooks among them, and the optimizer's
    variables), `seeds.npz` (the states of seed generators, which Keras leaves out of that file)
    and `checkpoint.json` (step, SHA-256 of the two files, notes). It is written under a hidden
    name, flushed to the disk, then renamed: a name that is there is whole. Two are kept.

    Args:
        folder: path, made when the first checkpoint is written.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def save(self, model, step, notes=None):
        """Writes the state of a compiled and built `model` after `step` optimizer steps.

        Args:
            model: a `keras.Model` whose optimizer is built.
            step: int, number of optimizer steps done.
            notes: dict that JSON can hold, given back by `restore`.

        Raises:
            OSError: if the disk is full or the folder cannot be written; older ones are kept.
        """
        temporary = self.folder / f".part-{step:08d}"
        try:
            self._clear_leftovers()
            temporary.mkdir(parents=True)
            # A name that a kill leaves behind begins with a dot: it never counts as a checkpoint.
            model.save_weights(temporary / WEIGHTS)
            seeds = map(keras.ops.convert_to_numpy, _seed_variables(model))
            np.savez(temporary / SEEDS, **{f"seed_{i:04d}": seed for i, seed in enumerate(seeds)})
            content = {
                "format_version": FORMAT_VERSION,
                "step": step,
                "iterations": iterations(model),
                "sha256": {name: _sha256(temporary / name) for name in (WEIGHTS, SEEDS)},
                "notes": notes or {},
            }
            files.write_json(temporary / MANIFEST, content)
            final = self.folder / f"step_{step:08d}"
            if final.exists():
                files.discard_folder(final)
            files.publish_folder(temporary, final)
        except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as a RuntimeError
            raise OSError(
                f"The checkpoint of step {step} could not be written to {self.folder}: {error}. "
                "Earlier checkpoints are kept; make room and start the same command again."
            ) from error
        # Only now that the newest is whole: at any moment at least one good one is on the disk.
        for old in self._names()[:-KEPT]:
            files.discard_folder(old)

    def restore(self, model):
        """Puts the newest whole checkpoint into `model`, whose optimizer is built.

        Returns:
            `(step, notes)` of that checkpoint, or `None` where there is none.

        Raises:
            ValueError: if a checkpoint is of a later format, or of another model.
        """
        folder, manifest = self._newest()
        if folder is None:
            return None
        _load(model, folder, manifest)
        return manifest["step"], manifest["notes"]

    def notes(self):
        """The notes of the newest whole checkpoint, an empty dict where there is none."""
        folder, manifest = self._newest()
        return manifest["notes"] if folder else {}

    def _newest(self):
        """Path and manifest of the newest whole checkpoint, or a pair of `None`."""
        for folder in reversed(self._names()):
            manifest = _read_manifest(folder)
            if manifest is None:
                warnings.warn(f"{folder} is damaged; an earlier one is used.", stacklevel=3)
            elif manifest["format_version"] > FORMAT_VERSION:
                raise ValueError(
                    f"{folder} was written by a later vqzoo: its format is "
                    f"{manifest['format_version']}, this one reads up to {FORMAT_VERSION}."
                )
            else:
                return folder, manifest
        return None, None

    def _names(self):
        found = self.folder.glob("step_*") if self.folder.is_dir() else ()
        return sorted(path for path in found if re.fullmatch(r"step_\d{8,}", path.name))

    def _clear_leftovers(self):
        for path in self.folder.glob(".part-*"):
            files.discard_folder(path)
        for path in self.folder.glob(".old-*"):
            files.discard_folder(path)


def iterations(model):
    """Optimizer steps that a compiled model has done, under any distribution strategy."""
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


def _seed_variables(model):
    """The variables of a model that are no weights: the states of its seed generators."""
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def _load(model, folder, manifest):
    model.load_weights(folder / WEIGHTS)
    seeds = _seed_variables(model)
    with np.load(folder / SEEDS, allow_pickle=False) as arrays:
        stored = [arrays[key] for key in sorted(arrays.files)]
    # Keras skips an optimizer's state that does not fit with a mere warning: its count tells.
    loaded = iterations(model) == manifest["iterations"]
    if not loaded or [s.shape for s in stored] != [tuple(s.shape) for s in seeds]:
        raise ValueError(f"{folder} belongs to another model or optimizer than the one trained.")
    for variable, value in zip(seeds, stored, strict=True):
        variable.assign(value)


def _read_manifest(folder):
    """The content of `checkpoint.json`, or `None` if a file is missing or not what was written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sums = manifest["sha256"].items()
        return manifest if all(_sha256(folder / name) == sum_ for name, sum_ in sums) else None
    except (OSError, ValueError, KeyError):
        return None


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
