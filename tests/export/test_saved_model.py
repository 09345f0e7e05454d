import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.export.tiny_zoo import UNIFORM, random_images, tiny_model
from vqzoo.export import saved_model

IMAGES = random_images(9, seed=3)
BATCHES = {"alone": slice(1), "few": slice(2, 5), "all": slice(9)}
SEEDS = np.array([0, 1, 1, 2**32 - 1, 7, 8])
LABELS = np.array([2, 0, 1, 1, 0, 2], "int32")
TEMPERATURES = np.array([1, 1, 1, 0.5, 2, 1], "float32")


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return model.export(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported)).signatures


@pytest.fixture(scope="module")
def answers(model, exported, tmp_path_factory):
    """What a process without vqzoo answers, by signature, call and output."""
    folder = tmp_path_factory.mktemp("answers")
    requests = {}
    for call, rows in BATCHES.items():
        requests[f"encode/{call}/images"] = IMAGES[rows]
        requests[f"reconstruct/{call}/images"] = IMAGES[rows]
        requests[f"decode/{call}/codes_0"] = model.encode(IMAGES[rows])[0]
    for call, rows in {"two": slice(2), "all": slice(6)}.items():
        requests[f"sample/{call}/seed"] = SEEDS[rows]
        requests[f"sample/{call}/labels"] = LABELS[rows]
        requests[f"sample/{call}/temperature"] = TEMPERATURES[rows]
    np.savez(folder / "requests.npz", **requests)
    program = pathlib.Path(__file__).with_name("answers.py")
    paths = [program, exported, folder / "requests.npz", folder / "answers.npz"]
    subprocess.run([sys.executable, "-I", *map(str, paths)], check=True)
    return dict(np.load(folder / "answers.npz"))


@pytest.mark.parametrize("call", BATCHES)
def test_codes_and_images_equal_those_of_python_bit_for_bit(model, answers, call):
    images = IMAGES[BATCHES[call]]
    (codes,) = model.encode(images)
    reconstructions = model.reconstruct(images)
    for path, expected in {
        f"encode/{call}/codes_0": codes,
        f"decode/{call}/images": reconstructions,
        f"reconstruct/{call}/images": reconstructions,
    }.items():
        assert answers[path].dtype == expected.dtype
        np.testing.assert_array_equal(answers[path], expected, path)


def test_the_images_compared_use_many_codes_and_grey_levels(model):
    assert len(np.unique(model.encode(IMAGES)[0])) > 8
    assert len(np.unique(model.reconstruct(IMAGES))) > 50


def test_each_sample_is_that_of_its_own_seed_label_and_temperature(model, answers):
    # Exactly: for 36 positions to hold a near-tie that rounding decides has a chance below 1 %,
    # and the seeds are fixed.
    rows = zip(SEEDS, LABELS, TEMPERATURES)
    expected = [model.sample(1, int(l), int(s), temperature=float(t))[0] for s, l, t in rows]
    np.testing.assert_array_equal(answers["sample/all/images"], expected)
    assert not np.array_equal(expected[1], expected[2]), "labels change nothing: an empty test"
    assert not np.array_equal(expected[0], expected[5]), "seeds change nothing: an empty test"


def test_a_sample_does_not_depend_on_the_rows_beside_it(answers):
    np.testing.assert_array_equal(answers["sample/two/images"], answers["sample/all/images"][:2])


def test_inputs_and_outputs_are_named_integers_with_a_batch_axis(signatures):
    images, codes = ((None, 8, 12, 3), "uint8"), ((None, 2, 3), "int32")
    rows = {"seed": "int64", "labels": "int32", "temperature": "float32"}
    rows = {name: ((None,), dtype) for name, dtype in rows.items()}
    expected = {
        "encode": ({"images": images}, {"codes_0": codes}),
        "decode": ({"codes_0": codes}, {"images": images}),
        "reconstruct": ({"images": images}, {"images": images}),
        "sample": (rows, {"images": images}),
    }
    found = {
        name: (_forms(function.structured_input_signature[1]), _forms(function.structured_outputs))
        for name, function in signatures.items()
    }
    assert found == expected


def _forms(specs):
    return {name: (tuple(spec.shape), spec.dtype.name) for name, spec in specs.items()}


def test_no_graph_is_compiled_by_xla(exported):
    stored = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    functions = stored.meta_graphs[0].graph_def.library.function
    assert len(functions) > 4
    assert not any(f.attr["_XlaMustCompile"].b for f in functions if "_XlaMustCompile" in f.attr)


def test_only_weights_that_the_graphs_read_are_stored(model, exported):
    names = tf.train.list_variables(str(exported / "variables" / "variables"))
    sizes = [int(np.prod(shape)) for name, shape in names if "VARIABLE_VALUE" in name]
    quantizer = model.autoencoder.quantizer
    parts = model.autoencoder.encoder, model.autoencoder.decoder, model.prior
    expected = sum(part.count_params() for part in parts) + int(np.prod(quantizer.codebook.shape))
    assert sum(sizes) == expected


@pytest.mark.parametrize(
    "signature, inputs, message",
    [
        ("decode", {"codes_0": np.full((1, 2, 3), 24, "int32")}, "`codes_0` must be in 0..23"),
        ("decode", {"codes_0": np.full((1, 2, 3), -1, "int32")}, "`codes_0` must be in 0..23"),
        ("sample", {"seed": np.array([2**32])}, "`seed` must be in 0..4294967295"),
        ("sample", {"seed": np.array([-1])}, "`seed` must be in 0..4294967295"),
        ("sample", {"labels": np.array([3], "int32")}, "`labels` must be in 0..2"),
        ("sample", {"temperature": np.array([0], "float32")}, "`temperature` must be above 0"),
        ("sample", {"temperature": np.array([np.nan], "float32")}, "`temperature` must be above 0"),
    ],
)
def test_values_out_of_range_are_refused_by_name(signatures, signature, inputs, message):
    if signature == "sample":
        rows = {"seed": SEEDS[:1], "labels": LABELS[:1], "temperature": TEMPERATURES[:1]}
        inputs = rows | inputs
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures[signature](**{name: tf.constant(array) for name, array in inputs.items()})


def test_training_goes_on_after_an_export(model, exported):
    model.autoencoder.compile("adam")
    weights, encoder = model.autoencoder.get_weights(), model.autoencoder.encoder
    before = encoder.get_weights()[0]
    model.autoencoder.fit(IMAGES, epochs=1, verbose=0)
    assert not np.array_equal(before, encoder.get_weights()[0])
    model.autoencoder.set_weights(weights)


def test_every_export_is_a_version_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(tf.saved_model, "save", _write_one_file)
    model = tiny_model(prior=UNIFORM)
    (tmp_path / "9").mkdir()
    (tmp_path / "notes").mkdir()
    assert model.export(tmp_path) == tmp_path / "10"
    assert model.export(str(tmp_path)) == tmp_path / "11"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["10", "11", "9", "notes"]
    assert (tmp_path / "11" / "saved_model.pb").is_file()


def _write_one_file(module, path, signatures):
    pathlib.Path(path).mkdir()
    (pathlib.Path(path) / "saved_model.pb").write_bytes(b"")


def test_an_export_that_fails_leaves_nothing(monkeypatch, tmp_path):
    def fail(module, path, signatures):
        _write_one_file(module, path, signatures)
        raise OSError("No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        tiny_model(prior=UNIFORM).export(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_prior_of_other_codes_is_not_exported(tmp_path):
    model = tiny_model(prior=UNIFORM)
    model.tokenizer_hash = "0" * 64
    with pytest.raises(ValueError, match="`tokenizer_hash`"):
        model.export(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_another_backend_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    message = "`KERAS_BACKEND` to \"tensorflow\", and load the model. Received: 'jax'"
    with pytest.raises(ValueError, match=message):
        saved_model.export(None, tmp_path)
