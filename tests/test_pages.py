"""What the pages tell their reader to run, run in the order in which it stands there."""

import shlex

import numpy as np
import pytest
from PIL import Image

import vqzoo
from tests.page_blocks import blocks, follow
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


@pytest.mark.slow
def test_an_entry_can_be_added_as_the_page_says(tmp_path, monkeypatch):
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
    trained = vqzoo.load("runs/smoke")
    assert trained.sample(2).shape == (2, 16, 16, 3) and trained.class_names is None


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
