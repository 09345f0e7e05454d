"""What the pages tell their reader to run, run in the order in which it stands there."""

import shlex
import sys

import numpy as np
import pytest
from PIL import Image

import vqzoo
from tests.page_blocks import as_module, blocks, follow
from vqzoo import models
from vqzoo.cli.main import main


@pytest.mark.slow
def test_the_first_steps_can_be_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = follow("docs/first_steps.md")
    assert names["images"].shape == (16, 28, 28, 1) and names["images"].dtype == np.uint8
    assert names["codes"].shape == (16, 7, 7) and names["codes"].dtype == np.int32
    assert names["nats"].shape == names["bits"].shape == (16,) and names["kind"] == "bound"
    with np.load("shoes.npz") as archive:  # of the PNG files of the same images
        np.testing.assert_array_equal(archive["codes_0"], names["codes"])
    np.testing.assert_array_equal(np.asarray(Image.open("decoded/03.png")), names["again"][3, ..., 0])
    assert Image.open("vqvae_fashion_mnist_samples.png").size == (8 * 86 + 2, 2 * 86 + 2)
    assert Image.open("completed/00.png").size == (28, 28)


def test_the_error_of_the_first_steps_is_the_one_that_is_shown(capsys):
    ((_, text),) = (block for block in blocks("docs/first_steps.md") if block[0] == "console")
    command, shown = text.splitlines()
    assert main(shlex.split(command)[2:]) == 2
    start, end = shown.split("…")
    assert capsys.readouterr().err.startswith(start) and not end


@pytest.fixture
def new_parts(monkeypatch):
    """The modules of the page on new models, as if they were in the package, and its test."""
    layer = as_module("docs/add_a_model.md", "vqzoo/layers/scalar_quantizer.py")
    monkeypatch.setitem(sys.modules, "vqzoo.layers.scalar_quantizer", layer)
    family = as_module("docs/add_a_model.md", "vqzoo/models/fsq.py").FSQ
    monkeypatch.setitem(models.FAMILIES, "FSQ", family)
    return as_module("docs/add_a_model.md", "tests/layers/test_scalar_quantizer.py")


def test_the_test_of_the_page_on_new_models_passes(new_parts):
    tests = [function for name, function in vars(new_parts).items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


@pytest.mark.slow
def test_models_can_be_added_as_the_page_says(tmp_path, monkeypatch, new_parts):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "tiles").mkdir()
    for i in range(40):
        pixels = rng.integers(0, 256, (16, 16, 3), dtype="uint8")
        Image.fromarray(pixels).save(f"tiles/{i}.png")
    names = follow("docs/add_a_model.md")
    assert names["model"].autoencoder.latent_shapes == [(4, 4)]
    assert names["model"].autoencoder.codebook_sizes == [128]
    shown = "`autoencoder.filter` is no argument of VQVAE; did you mean 'filters'?"
    assert names["message"].startswith(shown)
    for run in ("runs/smoke", "runs/fsq"):
        trained = vqzoo.load(run)
        images = trained.sample(2)
        assert images.shape == (2, 16, 16, 3) and trained.class_names is None
        (codes,) = trained.encode(images)
        np.testing.assert_array_equal(trained.decode([codes]), trained.reconstruct(images))
        assert np.isfinite(trained.elbo(images)).all()
    assert trained.autoencoder.codebook_sizes == [9]
    assert Image.open("fsq_samples.png").mode == "RGB"


@pytest.mark.slow
def test_the_python_of_the_readme_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"labels": np.full(16, 7)}  # "images, labels": those that the reader has
    first, second = (text for language, text in blocks("README.md") if language == "python")
    exec(first, names)
    again = names["model"].reconstruct(names["images"])  # what the comments say, word by word
    np.testing.assert_array_equal(names["again"], again)
    exec(second, names)
    assert names["images"].shape == (16, 28, 28, 1) and names["images"].dtype == np.uint8
    assert names["codes"].shape == (16, 7, 7) and names["codes"].dtype == np.int32
    assert names["codes"].max() < 512
    assert names["nats"].shape == names["bits"].shape == (16,) and names["kind"] == "bound"
    assert names["nats"].dtype == names["bits"].dtype == np.float32
    assert (tmp_path / "serving" / "1" / "saved_model.pb").is_file()
    assert names["model"].autoencoder.codebook_sizes == [256]
