"""The whole recipe: what it leaves behind, that it goes on, that two replicas run it."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tests.integration import tiny_run
from tests.integration.weights_of_run import weights_of

import vqzoo
from vqzoo.config import load_config, merge, stages
from vqzoo.data import CodeStore, open_source
from vqzoo.latents import are_codes


def first_entries():
    """Name of the entry with the smallest images of each family; of several the last."""
    found = {}
    for name in sorted(vqzoo.list_models(), key=image_size, reverse=True):
        found[load_config(name)["autoencoder"]["family"]] = name
    return sorted(found.values())


def image_size(name):
    """Number of values of an entry's images."""
    return np.prod(load_config(name)["data"]["image_shape"])


def smoke(name, folder):
    """The smoke run of an entry on made-up images: path of the run, of the images, the model."""
    config = load_config(name)
    data = merge(config, config["smoke"])["data"]
    class_names = data.get("class_names", ["0", "1"])[:10]
    tiny_run.write_images(folder / "images", class_names, data["image_shape"][0])
    model = vqzoo.train(name, folder / "images", folder / "run", smoke=True)
    return folder / "run", folder / "images", model


def by_cost(name):
    """An entry as a parameter, slow if its family has several stages or no bottleneck."""
    costly = load_config(name)["autoencoder"]["family"] in ("VQVAE2", "PixelModel")
    return pytest.param(name, marks=pytest.mark.slow if costly else ())


@pytest.fixture(scope="module", params=map(by_cost, first_entries()))
def finished(request, tmp_path_factory):
    """A finished smoke run of one entry a family, as `smoke` returns it."""
    return smoke(request.param, tmp_path_factory.mktemp("smoke"))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    tiny_run.write_images(folder)
    return folder


def test_leaves_a_whole_run_folder(finished):
    run, _, model = finished
    has_codes = are_codes(model.autoencoder.codebook_sizes)
    for name in ("config.yaml", "results.json", "samples.png"):
        assert (run / name).stat().st_size > 0
    assert (run / "reconstructions.png").exists() == bool(model.autoencoder.latent_shapes)
    assert (run / "usage.png").exists() == has_codes
    trained = {name: [name] for name in stages(model.config)}
    if "joint" in trained:
        trained["joint"] = ["autoencoder", "prior"] if model.prior.weights else ["autoencoder"]
    for name, parts in trained.items():
        for part in parts:
            assert (run / "checkpoints" / f"{part}.weights.h5").exists()
        assert (run / "checkpoints" / name / "step_00000020" / "model.weights.h5").exists()
        assert list((run / "logs" / name).glob("events*"))
    codes = [path.name for path in run.glob("codes/*")]
    assert codes == (["train"] if "prior" in model.config["training"] else [])


def test_results_are_those_of_the_model(finished):
    run, images, model = finished
    results = json.loads((run / "results.json").read_text())
    test = open_source(model.config["data"], "test", images)
    pixels = test.take(np.arange(len(test)))["image"]
    if model.autoencoder.latent_shapes:
        output = np.asarray(model.autoencoder.to_pixels(model.autoencoder(pixels)))
        mse = np.mean((output - (pixels / 127.5 - 1)) ** 2)
        np.testing.assert_allclose(results["scores"]["reconstruction"]["mse"], mse, rtol=1e-4)
    labels = None if model.prior.num_classes is None else test.take(np.arange(len(test)))["label"]
    elbo = model.elbo(pixels, labels).mean()
    np.testing.assert_allclose(results["scores"]["images"]["elbo_nats_per_image"], elbo, rtol=1e-4)
    seeds = {name: stage["seed"] for name, stage in stages(model.config).items()}
    assert results["seeds"] == {**seeds, "samples": 0}
    assert all(results["wall_seconds"][name] > 0 for name in stages(model.config))


def test_the_saved_model_is_the_trained_one(finished):
    run, images, model = finished
    loaded = vqzoo.load(run)
    train = open_source(model.config["data"], "train", images).take(np.arange(16))
    if "prior" in model.config["training"]:
        codes = CodeStore(run / "codes" / "train")
        codes.check_tokenizer(loaded.autoencoder.tokenizer_hash())
        np.testing.assert_array_equal(
            loaded.encode(train["image"])[0], codes.take(range(16))["codes_0"]
        )
        np.testing.assert_array_equal(codes.take(range(16))["labels"], train["label"])
    np.testing.assert_array_equal(loaded.elbo(train["image"]), model.elbo(train["image"]))
    stored = weights_of(run)
    assert any(array.dtype == np.float16 for array in stored.values())
    results = json.loads((run / "results.json").read_text())
    scale = loaded.autoencoder.likelihood_scale
    assert ("likelihood_scale" in results["scores"]["images"]) == (scale is not None)
    if scale is not None:
        assert results["scores"]["images"]["likelihood_scale"] == pytest.approx(float(scale))
        assert float(scale) != 1.0, "the scale of the likelihood was never fitted"


def test_the_same_command_again_trains_nothing(finished, capsys):
    run, images, model = finished
    name = json.loads((run / "results.json").read_text())["name"]
    again = vqzoo.train(name, images, run, smoke=True)
    assert "is finished" in capsys.readouterr().err
    for one, other in zip(again.prior.weights, model.prior.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tokenizer_alone_encodes_and_a_later_call_trains_its_prior(images, tmp_path):
    model = tiny_run.train(images, tmp_path / "run", "levels", tokenizer_only=True)
    assert not model.has_prior
    assert not (tmp_path / "run" / "codes").exists(), "codes are for a prior"
    picture = np.zeros((1, 8, 8, 1), "uint8")
    codes = model.encode(picture)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert "samples" not in results["scores"] and "reconstruction" in results["scores"]
    with pytest.raises(ValueError, match="weights for its autoencoder only"):
        model.sample(1)
    before = (tmp_path / "run" / "results.json").read_bytes()
    tiny_run.train(images, tmp_path / "run", "levels", tokenizer_only=True)
    assert (tmp_path / "run" / "results.json").read_bytes() == before, "nothing was left to do"
    whole = tiny_run.train(images, tmp_path / "run", "levels")
    assert whole.has_prior and whole.sample(1).shape == (1, 8, 8, 1)
    for one, other in zip(codes, whole.encode(picture), strict=True):
        np.testing.assert_array_equal(one, other)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert "samples" in results["scores"]


def test_another_configuration_in_the_same_folder_is_refused(finished):
    run, images, _ = finished
    name = json.loads((run / "results.json").read_text())["name"]
    with pytest.raises(ValueError, match=r"was started with another configuration: `autoencoder"):
        vqzoo.train(name, images, run, smoke=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(vqzoo.list_models()) - set(first_entries())))
def test_every_other_entry_runs_its_smoke_settings(name, tmp_path):
    run, _, _ = smoke(name, tmp_path)
    assert (run / "results.json").exists()


@pytest.fixture(scope="module", params=["stripes", "levels", "joint"])
def uninterrupted(images, tmp_path_factory, request):
    """The end of `tiny_run.py IMAGES RUN`, and the weights that such a run ends with."""
    run = tmp_path_factory.mktemp("whole") / "run"
    command = [sys.executable, tiny_run.__file__, images]
    subprocess.run([*command, run, request.param], check=True, capture_output=True)
    return request.param, weights_of(run)


SIGNS = (
    ".lock",
    "config.yaml",
    "checkpoints/autoencoder/.part-*",
    "checkpoints/autoencoder/step_00000006",
    "checkpoints/autoencoder/step_0000003*",
    "checkpoints/autoencoder/step_00000060",
    "checkpoints/last_autoencoder.weights.h5",
    "checkpoints/autoencoder.weights.h5",
    "codes/.train.partial",
    "codes/train",
    "checkpoints/prior*/.part-*",
    "checkpoints/prior*/best.weights.h5",
    "checkpoints/prior*/step_0000003*",
    "checkpoints/prior*.weights.h5",
    "checkpoints/prior_1",
    "checkpoints/prior_1/step_0000001*",
    "checkpoints/prior_1.weights.h5",
    "model/autoencoder.weights.h5",
    "model/manifest.json",
    "samples.png",
)
"""Files whose appearance says which part a run has come to, in their order."""

JOINT_SIGNS = (
    *(sign.replace("checkpoints/autoencoder/", "checkpoints/joint/") for sign in SIGNS[:6]),
    "checkpoints/prior.weights.h5",
    "checkpoints/last_autoencoder.weights.h5",
    "checkpoints/autoencoder.weights.h5",
    "model/autoencoder.weights.h5",
    "model/manifest.json",
    "samples.png",
)

CHAINS, KILLS = 4, 5
"""Runs that are killed again and again until they are allowed to end, and kills of each."""


@pytest.mark.slow
@pytest.mark.parametrize("chain", range(CHAINS))
def test_killed_at_random_moments_it_ends_with_the_same_weights(
    chain, images, tmp_path, uninterrupted
):
    run, draw = tmp_path / "run", random.Random(chain)
    name, expected = uninterrupted
    command = [sys.executable, tiny_run.__file__, images, run, name]
    signs = JOINT_SIGNS if name == "joint" else SIGNS
    signs = [sign for sign in signs if name == "levels" or "prior_1" not in sign]
    for place in sorted(draw.sample(range(len(signs)), KILLS)):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(run.glob(signs[place])):
            time.sleep(0.002)
        time.sleep(draw.choice([0, 0.01, 0.1, 0.5]) * draw.random())
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"it was over before {signs[place]} was seen"
    subprocess.run(command, check=True, capture_output=True)
    found = weights_of(run)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=str(name))


@pytest.mark.slow
def test_two_replicas_run_the_whole_smoke_recipe(images, tmp_path):
    scores, losses = [], []
    for replicas in ([], ["replicas"]):
        run = tmp_path / f"run{len(replicas)}"
        command = [sys.executable, tiny_run.__file__, images, run, "smoke", *replicas]
        subprocess.run(command, check=True, capture_output=True)
        state = run / "checkpoints/prior/step_00000006/checkpoint.json"
        losses.append(json.loads(state.read_text())["notes"]["best_val_loss"])
        scores.append(json.loads((run / "results.json").read_text())["scores"])
    # The same batches and the same loss, but the replicas draw other dropout: near, not equal.
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    # Six steps of Adam from the same start: sums in another order, rounded to float16.
    mse = [score["reconstruction"]["mse"] for score in scores]
    np.testing.assert_allclose(mse[1], mse[0], rtol=1e-3)


@pytest.mark.slow
def test_two_replicas_train_both_parts_together(images, tmp_path):
    scores = []
    for replicas in ([], ["replicas"]):
        run = tmp_path / f"run{len(replicas)}"
        command = [sys.executable, tiny_run.__file__, images, run, "joint", "smoke", *replicas]
        subprocess.run(command, check=True, capture_output=True)
        scores.append(json.loads((run / "results.json").read_text())["scores"])
    # Noise is drawn for the joined batch, and nothing is dropped: the same sums in another order,
    # rounded to float16.
    for part, name in (("reconstruction", "mse"), ("images", "bits_per_dim")):
        one, other = (score[part][name] for score in scores)
        np.testing.assert_allclose(other, one, rtol=1e-3)


def test_parts_that_are_trained_together_are_no_tokenizer_alone(images, tmp_path):
    with pytest.raises(ValueError, match="`tokenizer_only` must be False.*together"):
        tiny_run.train(images, tmp_path / "run", "joint", tokenizer_only=True)
    assert not (tmp_path / "run").exists()


def test_a_prior_is_trained_on_draws_of_the_posterior(images, tmp_path):
    model = tiny_run.train(images, tmp_path / "run", "draws")
    store = CodeStore(tmp_path / "run" / "codes" / "train")
    source = open_source(model.config["data"], "train", images)
    pixels = source.take(np.arange(len(source)))["image"]
    _, (draws,), _ = model.autoencoder.posterior(pixels, 0, np.arange(len(pixels)))
    codes = store.take(np.arange(len(store)))["codes_0"]
    np.testing.assert_array_equal(codes, draws)
    assert (codes != model.encode(pixels)[0]).any(), "the posterior does not draw: an empty test"


def test_a_second_process_on_the_folder_says_so_and_leaves(images, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "vqzoo.cli.main", "train", images / "stripes.yaml"]
    command += ["--data", images, "--folder", run]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (run / "config.yaml").exists():
            assert first.poll() is None
            time.sleep(0.02)
        first.send_signal(signal.SIGSTOP)  # however slow the second is, the first is not over
        before = sorted(run.rglob("*"))
        second = subprocess.run(command, capture_output=True, text=True)
        assert (second.returncode, second.stdout) == (1, "")
        (line,) = second.stderr.splitlines()
        assert line.startswith("vqzoo train: error: ")
        assert f"another process is training in {run}; wait for it or stop it" in line
        assert sorted(run.rglob("*")) == before
    finally:
        first.kill()
        first.wait()


def test_a_run_that_cannot_start_claims_no_folder(tmp_path):
    """The corrected command, with other data, may use the same folder."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises((ValueError, FileNotFoundError)):
        vqzoo.train("vqvae_fashion_mnist", data=empty, folder=tmp_path / "run", smoke=True)
    assert not (tmp_path / "run" / "config.yaml").exists()
