"""Stage 2 of several levels: each trained on its own, stopped and continued on its own."""

import keras
import numpy as np
import pytest
import yaml
from tests.export.tiny_zoo import random_images
from tests.integration import tiny_run
from tests.tiny_levels import tiny_levels

import vqzoo
from vqzoo.data import CodeStore, open_source
from vqzoo.in_memory import training_codes
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.recipe import HELD_OUT, Recipe
from vqzoo.data.subset import hold_out
from vqzoo.weights import round_to_float16


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    tiny_run.write_images(folder)
    return folder


def recipe(images, folder):
    config = yaml.safe_load((images / "levels.yaml").read_text())
    return Recipe(folder, config, {"train": open_source(config["data"], "train", images)})


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    """Folder and model of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, recipe(images, folder).run()


def test_every_level_ends_with_its_best_weights_by_held_out_loss(whole):
    folder, model = whole
    store = CodeStore(folder / "codes" / "train")
    assert store.latent_shapes == [(2, 2), (4, 4)]
    for index, level in enumerate(model.prior.levels):
        found = [keras.ops.convert_to_numpy(weight) for weight in level.weights]
        name = f"prior_{index}"
        notes = Checkpoints(folder / "checkpoints" / name).notes()
        level.load_weights(folder / "checkpoints" / name / "best.weights.h5")
        _, held_out = hold_out(store, HELD_OUT, model.config["training"]["prior"][index]["seed"])
        batch = held_out.take(np.arange(len(held_out)))
        latents = [batch[f"codes_{i}"] for i in range(index + 1)]
        codes = np.prod(level.latent_shape)
        nats = -level.log_prob(latents, batch["labels"]).mean() / codes
        np.testing.assert_allclose(nats, notes["best_val_loss"], rtol=1e-4)
        round_to_float16(level)
        for weight, array in zip(level.weights, found, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), array)
        assert list((folder / "logs" / name).glob("events*"))


class Stopped(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


@pytest.mark.parametrize(
    "stop_at",
    [("prior_0", 12), ("prior_1", 12), pytest.param(("prior_1", 0), marks=pytest.mark.slow)],
)
def test_a_stopped_level_goes_on_and_finished_ones_stay(
    images, whole, tmp_path, monkeypatch, stop_at
):
    """`stop_at` is the stage and step whose checkpoint is never written."""
    save = Checkpoints.save

    def stopping(self, model, step, notes=None):
        if (self.folder.name, step) == stop_at:
            raise Stopped
        save(self, model, step, notes)

    folder, model = whole
    shared = tmp_path / "checkpoints"
    shared.mkdir()
    name = "autoencoder.weights.h5"  # not what this is about
    (shared / name).write_bytes((folder / "checkpoints" / name).read_bytes())
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Checkpoints, "save", stopping)
        recipe(images, tmp_path).run()
    done = {path: path.stat().st_mtime_ns for path in shared.glob("prior*.weights.h5")}
    assert len(done) == int(stop_at[0][-1]), "as many levels as were finished"
    assert (shared / "prior_1").exists() == (stop_at == ("prior_1", 12))
    again = recipe(images, tmp_path).run()
    assert all(path.stat().st_mtime_ns == time for path, time in done.items())
    for one, other in zip(again.prior.weights, model.prior.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        )


def test_plain_fit_trains_all_levels_at_once(tmp_path):
    model = tiny_levels(["circle", "square"])
    before = [weight.copy() for weight in model.prior.get_weights()]
    images = random_images(8, (8, 16, 3))
    _, second = model.fit((images, np.arange(8) % 2), {"verbose": 0}, {"epochs": 2, "verbose": 0})
    for level in range(2):
        assert len(second.history[f"bits_per_code_{level}"]) == 2
    for old, new in zip(before, model.prior.get_weights(), strict=True):
        assert (old != new).any()
    model.prior.levels[1].compile("adam")  # whose state is no part of a model's files
    model.prior.levels[1].fit(training_codes(model, [(images, np.arange(8) % 2)]), verbose=0)
    model.save(tmp_path / "saved")
    loaded = vqzoo.load(tmp_path / "saved")
    np.testing.assert_array_equal(loaded.elbo(images, 1), model.elbo(images, 1))
