import re
import tempfile

import h5py
import keras
import numpy as np
import pytest

import vqzoo
from vqzoo import weights


@pytest.fixture
def model(tiny_yaml):
    return vqzoo.create(tiny_yaml)


def arrays(path):
    """Every array of an h5 file by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found


def test_round_trip_is_exact_without_rounding(model, tiny_yaml, tmp_path):
    path = tmp_path / "a.weights.h5"
    weights.save_weights(model.autoencoder, path)
    other = vqzoo.create(tiny_yaml).autoencoder
    weights.load_weights(other, path)
    for mine, loaded in zip(model.autoencoder.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, loaded)
    assert list(tmp_path.iterdir()) == [path], "temporary files are left"


def test_rounding_makes_files_of_half_the_size_that_lose_nothing(model, tiny_yaml, tmp_path):
    path = tmp_path / "a.weights.h5"
    before = [keras.ops.convert_to_numpy(weight) for weight in model.prior.weights]
    weights.round_to_float16(model.prior)
    for old, new in zip(before, model.prior.weights, strict=True):
        np.testing.assert_allclose(old, new, rtol=2**-11, atol=2**-25)
    weights.save_weights(model.prior, path)
    floats = [array for array in arrays(path).values() if array.dtype.kind == "f"]
    assert {array.dtype for array in floats} == {np.dtype("float16")}
    other = vqzoo.create(tiny_yaml).prior
    weights.load_weights(other, path)
    for mine, loaded in zip(model.prior.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, loaded)
        assert loaded.dtype == mine.dtype


def test_codebook_averages_and_scale_are_not_rounded(model):
    exact = [*model.autoencoder.quantizer.variables, model.autoencoder.likelihood_scale]
    for variable in exact:
        if "float" in variable.dtype:
            variable.assign(keras.ops.full(variable.shape, 1 / 3, variable.dtype))
    kept = [keras.ops.convert_to_numpy(variable) for variable in exact]
    weights.round_to_float16(model.autoencoder)
    for old, new in zip(kept, exact, strict=True):
        np.testing.assert_array_equal(old, new)
    rounded = model.autoencoder.encoder.trainable_weights[0].numpy()
    np.testing.assert_array_equal(rounded, rounded.astype("float16").astype("float32"))


def test_what_float16_cannot_hold_stays_as_it_is():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.weights[0].assign([[70_000.0]])
    weights.round_to_float16(model)
    assert model.weights[0].numpy() == 70_000.0


def test_the_optimiser_is_not_stored(model, tmp_path):
    path = tmp_path / "a.weights.h5"
    model.autoencoder.compile("adam")
    model.autoencoder.optimizer.build(model.autoencoder.trainable_variables)
    weights.save_weights(model.autoencoder, path)
    assert not [name for name in arrays(path) if "optimizer" in name]
    weights.load_weights(model.autoencoder, path)


@pytest.mark.parametrize("change", ["missing", "added", "reshaped"])
def test_files_of_another_model_are_refused(model, tmp_path, change):
    path = tmp_path / "a.weights.h5"
    weights.save_weights(model.prior, path)
    name, array = next((n, a) for n, a in arrays(path).items() if a.ndim == 4)
    with h5py.File(path, "r+") as file:
        if change != "added":
            del file[name]
        if change == "added":
            file[name + "0"] = array
        elif change == "reshaped":
            file[name] = array[:, :, :-1]
    before = [keras.ops.convert_to_numpy(weight) for weight in model.prior.weights]
    named = name if change != "missing" else re.escape(str(array.shape))
    with pytest.raises(ValueError, match=f"a.weights.h5 must hold the .*{named}"):
        weights.load_weights(model.prior, path)
    for old, new in zip(before, model.prior.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_arrays_under_other_names_are_refused(model, tmp_path):
    path = tmp_path / "a.weights.h5"
    weights.save_weights(model.prior, path)
    name = next(name for name, array in arrays(path).items() if array.ndim == 4)
    with h5py.File(path, "r+") as file:
        file.move(name.split("/vars")[0], "elsewhere")
    with pytest.raises(ValueError, match="a.weights.h5 names its arrays otherwise"):
        weights.load_weights(model.prior, path)


def test_loading_needs_no_room_on_a_disk(model, tmp_path, monkeypatch):
    path = tmp_path / "a.weights.h5"
    weights.save_weights(model.prior, path)
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *args: pytest.fail("a scratch folder"))
    weights.load_weights(model.prior, path)


@pytest.mark.parametrize("length", [0, 100, -1])
def test_truncated_files_are_named(model, tmp_path, length):
    path = tmp_path / "a.weights.h5"
    weights.save_weights(model.prior, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="a.weights.h5 is not a whole weights file"):
        weights.load_weights(model.prior, path)


def test_same_weights_give_the_same_file(model, tmp_path):
    for name in ("a", "b"):
        weights.save_weights(model.prior, tmp_path / f"{name}.weights.h5")
    assert (tmp_path / "a.weights.h5").read_bytes() == (tmp_path / "b.weights.h5").read_bytes()


def test_a_failed_save_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(b"old")
    monkeypatch.setattr(weights, "_copy_halved", lambda source, target: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        weights.save_weights(model.prior, path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
