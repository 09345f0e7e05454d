"""The whole recipe: what it leaves behind, that it goes on, that two replicas run it."""

import json
import random
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import tiny_run

import vqzoo
from vqzoo.data import CodeStore, open_source


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    tiny_run.write_images(folder)
    return folder


@pytest.fixture(scope="module")
def finished(images, tmp_path_factory):
    """Path of a finished smoke run, and the model that `train` returned."""
    run = tmp_path_factory.mktemp("runs") / "smoke"
    return run, tiny_run.train(images, run, smoke=True)


def weights_of(run):
    """All arrays of the weights files of a run's model, by file and name."""
    found = {}
    for path in sorted((run / "model").glob("*.weights.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item, path=path: found.update({(path.name, name): item[()]})
                if isinstance(item, h5py.Dataset)
                else None
            )
    return found


def test_leaves_a_whole_run_folder(finished):
    run, _ = finished
    for name in ("config.yaml", "results.json", "samples.png", "reconstructions.png", "usage.png"):
        assert (run / name).stat().st_size > 0
    for name in ("autoencoder", "prior"):
        assert (run / "checkpoints" / f"{name}.weights.h5").exists()
        assert (run / "checkpoints" / name / "step_00000006" / "model.weights.h5").exists()
        assert list((run / "logs" / name).glob("events*"))


def test_results_are_those_of_the_model(finished, images):
    run, model = finished
    results = json.loads((run / "results.json").read_text())
    test = open_source(model.config["data"], "test", images)
    pixels = test.take(np.arange(len(test)))["image"]
    output = np.asarray(model.autoencoder(pixels))
    mse = np.mean((output - (pixels / 127.5 - 1)) ** 2)
    np.testing.assert_allclose(results["scores"]["reconstruction"]["mse"], mse, rtol=1e-4)
    assert results["seeds"] == {"autoencoder": 0, "prior": 1, "samples": 0}
    assert results["wall_seconds"]["autoencoder"] > 0


def test_the_saved_model_is_the_trained_one(finished, images):
    run, model = finished
    loaded = vqzoo.load(run)
    codes = CodeStore(run / "codes" / "test")
    codes.check_tokenizer(loaded.autoencoder.tokenizer_hash())
    test = open_source(model.config["data"], "test", images).take(np.arange(16))
    np.testing.assert_array_equal(loaded.encode(test["image"])[0], codes.take(range(16))["codes_0"])
    np.testing.assert_array_equal(codes.take(range(16))["labels"], test["label"])
    stored = weights_of(run)
    assert any(array.dtype == np.float16 for array in stored.values())
    scale = float(loaded.autoencoder.likelihood_scale)
    results = json.loads((run / "results.json").read_text())
    assert results["scores"]["images"]["likelihood_scale"] == pytest.approx(scale)
    assert scale != 1.0, "the scale of the likelihood was never fitted"


def test_the_same_command_again_trains_nothing(finished, images, capsys):
    run, model = finished
    again = tiny_run.train(images, run, smoke=True)
    assert "is finished" in capsys.readouterr().err
    for one, other in zip(again.prior.weights, model.prior.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_configuration_in_the_same_folder_is_refused(finished, images):
    with pytest.raises(ValueError, match=r"`training.autoencoder.steps` is 6 there.* 60"):
        tiny_run.train(images, finished[0], smoke=False)


@pytest.fixture(scope="module")
def uninterrupted(images, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(
        [sys.executable, tiny_run.__file__, images, run], check=True, capture_output=True
    )
    return weights_of(run)


@pytest.mark.slow
def test_killed_in_every_part_it_ends_with_the_same_weights(images, tmp_path, uninterrupted):
    run, moments = tmp_path / "run", random.Random(1)
    # Each kill comes a random moment after a sign that the run has reached a new part.
    signs = (
        "checkpoints/autoencoder/step_*",
        "checkpoints/autoencoder/step_0000003*",
        "codes/train",
        "checkpoints/prior/step_*",
        "model/manifest.json",
    )
    for sign in signs:
        process = subprocess.Popen(
            [sys.executable, tiny_run.__file__, images, run], stderr=subprocess.DEVNULL
        )
        while not list(run.glob(sign)) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.wait()
        assert not (run / "results.json").exists(), f"it was over before {sign} could be killed"
    subprocess.run(
        [sys.executable, tiny_run.__file__, images, run], check=True, capture_output=True
    )
    found = weights_of(run)
    assert found.keys() == uninterrupted.keys()
    for name, array in uninterrupted.items():
        np.testing.assert_array_equal(found[name], array, err_msg=str(name))


@pytest.mark.slow
def test_two_replicas_run_the_whole_smoke_recipe(images, finished, tmp_path):
    command = [sys.executable, tiny_run.__file__, images, tmp_path / "run", "replicas"]
    subprocess.run(command, check=True, capture_output=True)
    one, two = (
        json.loads((run / "checkpoints/prior/step_00000006/checkpoint.json").read_text())["notes"]
        for run in (finished[0], tmp_path / "run")
    )
    # The same batches and the same loss, but the replicas draw other dropout: near, not equal.
    np.testing.assert_allclose(two["best_val_loss"], one["best_val_loss"], rtol=0.02)
    scores = [
        json.loads((run / "results.json").read_text())["scores"]["reconstruction"]["mse"]
        for run in (finished[0], tmp_path / "run")
    ]
    # Six steps of Adam from the same start: sums in another order, rounded to float16.
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-3)
