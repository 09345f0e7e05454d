"""Model folders: the configuration, weights and checksums of one model, written whole."""

import collections
import os
import pathlib
import tempfile
import warnings

import h5py
import keras
import numpy as np

from vqzoo import config as configs
from vqzoo import files
from vqzoo import manifest as manifests
from vqzoo.manifest import AUTOENCODER, PRIOR


def round_to_float16(model):
    """Rounds a model's weights in memory to what its file will hold, so that saving loses nothing.

    What an autoencoder names in `exact_weights` stays float32, such as codebooks with their averages
    and the likelihood's scale, and so does a weight that float16 would turn into infinity.

    Args:
        model: an autoencoder or a prior, built.
    """
    exact_ids = {id(variable) for variable in getattr(model, "exact_weights", [])}
    for variable in model.weights:
        if id(variable) in exact_ids or variable.dtype != "float32":
            continue
        rounded = _half(keras.ops.convert_to_numpy(variable))
        if np.isfinite(rounded).all():
            variable.assign(rounded.astype("float32"))


def _half(values):
    with np.errstate(over="ignore"):  # the callers look for infinities themselves
        return values.astype("float16")


def save_weights(model, path):
    """Writes a model's weights as Keras does, without its optimiser and at half the size.

    A float array that float16 holds exactly is stored as float16 (see `round_to_float16`), all
    others as they are: what is read back equals what was in memory, bit for bit.

    Args:
        model: a built `keras.Model`.
        path: path of the file, which appears under this name only when it is whole.
    """
    with files.whole_file(path) as small:
        with tempfile.TemporaryDirectory(dir=small.parent, prefix=".saving-") as scratch:
            full = os.path.join(scratch, "full.weights.h5")
            model.save_weights(full)
            with h5py.File(full) as source, h5py.File(small, "w") as target:
                _copy_halved(source, target)
        files.sync(small)


def _of_optimizer(name):
    """Whether an h5 name is that of an optimiser, the model's or that of a level of a prior."""
    return "optimizer" in name.split("/")


def _copy_halved(source, target):
    """Copies an h5 file but for the optimiser, with float16 arrays where they are exact."""

    def copy(name, item):
        if _of_optimizer(name):
            return
        if isinstance(item, h5py.Dataset):
            values = item[()]
            if values.dtype == np.float32:
                halved = _half(values)
                exact = np.array_equal(halved.astype("float32"), values, equal_nan=True)
                values = halved if exact else values
            target.create_dataset(name, data=values).attrs.update(item.attrs)
        else:
            target.require_group(name)  # its attributes are names that depend on the process

    source.visititems(copy)


def load_weights(model, path):
    """Reads what `save_weights` wrote into a built model of the same configuration.

    Raises:
        ValueError: if the file is no whole h5 file, or lacks or adds an array, or has one of
            another shape.
    """
    try:
        stored = _shapes(path)
    except OSError as error:
        raise ValueError(f"{path} is not a whole weights file: {error}") from error
    _check_shapes(model, path, stored)
    with warnings.catch_warnings():  # a compiled model has an optimiser, the file has none
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        try:
            model.load_weights(path)
        except ValueError as error:
            raise ValueError(f"{path} names its arrays otherwise than this model: {error}") from error


def _check_shapes(model, path, stored):
    """Compares the arrays' shapes: Keras would stop with some weights loaded, and see none added.

    What an array is called Keras itself compares.
    """
    # A bag of shapes, not a set: two layers of one shape need two arrays.
    expected = collections.Counter(tuple(weight.shape) for weight in model.weights)
    found = collections.Counter(stored.values())
    if found == expected:
        return
    added = next((name for name, shape in stored.items() if shape in found - expected), "nothing")
    lacking = ", ".join(map(str, expected - found)) or "none"
    raise ValueError(
        f"{path} must hold the {len(model.weights)} arrays of this {type(model).__name__}, as its "
        f"config.yaml builds it. Shapes that it lacks: {lacking}. Received: {len(stored)} arrays; "
        f"of a shape that does not fit: {added} {stored.get(added, '')}"
    )


def _shapes(path):
    """Name and shape of each array in an h5 file, but for the optimiser's."""
    shapes = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset) and not _of_optimizer(name):
            shapes[name] = item.shape

    with h5py.File(path) as file:
        file.visititems(note)
    return shapes


def save_folder(folder, config, autoencoder, prior, tokenizer_hash):
    """Writes a model folder; each file appears whole, and the manifest last.

    Args:
        folder: path; made if it does not exist.
        config: dict, the configuration that builds the model.
        autoencoder: keras.Model.
        prior: keras.Model or None; its weights are left out if it is None.
        tokenizer_hash: str, `tokenizer_hash()` of the autoencoder whose codes the prior models.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / configs.CONFIG_FILE, configs.dump(config))
    save_weights(autoencoder, folder / AUTOENCODER)
    names = [configs.CONFIG_FILE, AUTOENCODER]
    if prior is not None:
        save_weights(prior, folder / PRIOR)
        names.append(PRIOR)
    else:
        (folder / PRIOR).unlink(missing_ok=True)
    class_names = config["data"].get("class_names")
    manifests.write(folder, names, tokenizer_hash=tokenizer_hash, class_names=class_names)
