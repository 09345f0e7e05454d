"""Runs that start from another model's weights: exact when stopped, and recorded."""

import json

import numpy as np
import pytest
import yaml
from keras import ops
from tests.integration import tiny_run

import vqzoo
from vqzoo.data import open_source
from vqzoo.training import recipe
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.recipe import Recipe
from vqzoo.training.starting_point import StartingPoint

CLASSES = ["down", "left", "right"]
"""Classes of the images that are fine-tuned on; the start has two others."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    tiny_run.write_images(folder, CLASSES)
    return folder


@pytest.fixture(scope="module")
def start(images):
    """Folder of a model to start from, whose codebook has seen images."""
    import keras

    keras.utils.set_random_seed(5)
    model = vqzoo.create(images / "stripes.yaml")
    pixels = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype="uint8")
    model.fit((pixels, np.arange(16) % 2), {"verbose": 0}, {"verbose": 0})
    model.save(images / "start")
    return images / "start"


@pytest.fixture(scope="module")
def tuned(images, start, tmp_path_factory):
    return list(weights_after(tmp_path_factory.mktemp("tuned"), images, start))


def weights_after(folder, images, start, stop=None):
    """The weights of both stages, nine steps each; `stop` is called with a stage to interrupt."""
    config = yaml.safe_load((images / "stripes.yaml").read_text())
    config["data"]["class_names"] = CLASSES
    for stage in config["training"].values():
        stage["steps"] = 9
    sources = {"train": open_source(config["data"], "train", images)}
    for stage in ("autoencoder", "prior"):
        if stop:
            stop(lambda stage=stage: _fit(stage, folder, config, sources, start))
        model = _fit(stage, folder, config, sources, start)
        yield [ops.convert_to_numpy(weight) for weight in model.weights]


def _fit(stage, folder, config, sources, start):
    run = Recipe(folder, config, sources, start and StartingPoint(start))
    autoencoder = run.fit_autoencoder()
    if stage == "autoencoder":
        return autoencoder
    return run.fit_prior(autoencoder)


def test_stopped_before_its_first_checkpoint_it_ends_with_the_same_weights(
    images, start, tuned, tmp_path, monkeypatch
):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    def stop(fit):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Checkpoints, "save", interrupt)
            fit()

    stages = weights_after(tmp_path / "stopped", images, start, stop)
    for stage, expected in zip(stages, tuned, strict=True):
        for array, other in zip(stage, expected, strict=True):
            np.testing.assert_array_equal(array, other)


def test_it_ends_near_its_start(images, start, tuned, tmp_path):
    """Nine small steps: nearer to the start than a run from random weights is, in each part."""
    model = vqzoo.load(start)
    fresh = weights_after(tmp_path / "fresh", images, None)
    for part, near, far in zip((model.autoencoder, model.prior), tuned, fresh, strict=True):
        for weight, *others in zip(part.weights, near, far, strict=True):
            if weight.path.endswith("kernel"):
                theirs = ops.convert_to_numpy(weight)
                distances = [np.abs(other - theirs).mean() for other in others]
                assert distances[0] < 0.5 * distances[1], weight.path


def test_the_start_is_part_of_the_configuration(images, start, tmp_path, monkeypatch, capsys):
    def stop(self, tokenizer_only):
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe.Recipe, "run", stop)
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        tiny_run.train(images, run, start_from=start)
    said = capsys.readouterr().err
    assert f"starts from {start}; not restored:\n  gated_0/class_vectors (3, 16): is fresh" in said
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["start_from"] == StartingPoint(start).record
    assert config["data"]["class_names"] == CLASSES
    with pytest.raises(ValueError, match="another configuration: `start_from.name` is"):
        tiny_run.train(images, run)
    manifest = json.loads((start / "manifest.json").read_text())
    vqzoo.load(start).save(tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").write_text(json.dumps(manifest))  # in another form
    with pytest.raises(ValueError, match="another configuration: `start_from.name` is .*start'"):
        tiny_run.train(images, run, start_from=tmp_path / "copy")
    with pytest.raises(KeyboardInterrupt):  # the same start goes on, also as the folder says it
        vqzoo.train(run / "config.yaml", images, run)


def test_weights_that_do_not_fit_are_refused_before_a_folder_is_claimed(images, start, tmp_path):
    wide = tmp_path / "wide.yaml"
    config = yaml.safe_load((images / "stripes.yaml").read_text())
    config["autoencoder"]["filters"] = 12
    wide.write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match="`autoencoder.filters` must be 8, as in .*Received: 12"):
        vqzoo.train(wide, images, tmp_path / "run", start_from=start)
    assert not (tmp_path / "run" / "config.yaml").exists()
