"""Commands on a model of pixels, which has no latents."""

import numpy as np
import pytest
from PIL import Image

import vqzoo
from tests.models.tiny_pixels import IMAGES, zoo_model
from vqzoo.cli.main import main


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "pixels"
    zoo_model(num_downsamplings=0).save(folder)
    return str(folder)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working folder with `images/`, ten PNG files, and `data/`, the same by class."""
    for folder in ("images", "data/test/bag", "data/train/boot"):
        (tmp_path / folder).mkdir(parents=True)
        for i, image in enumerate(IMAGES):
            Image.fromarray(image).save(tmp_path / folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["encode", "reconstruct"])
def test_what_needs_latents_refuses_in_one_line(saved, work, capsys, command):
    assert main([command, saved, "images"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"vqzoo {command}: error: `{command}` needs latents, and this model has none: it draws "
        "pixel after pixel"
    )


def test_decode_refuses_in_one_line(saved, work, capsys):
    np.savez("codes.npz", codes_0=np.zeros((1, 2, 2), int))
    assert main(["decode", saved, "codes.npz"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_samples_and_completions_are_written(saved, work, capsys):
    assert main(["sample", saved, "--num", "2", "--seed", "3"]) == 0
    assert "wrote 2 samples to pixels_samples.png" in capsys.readouterr().out
    assert main(["complete", saved, "images", "--box", "2,0,2,6", "--seed", "3"]) == 0
    found = np.stack([np.asarray(Image.open(f"completed/{i}.png")) for i in range(10)])
    mask = np.zeros((4, 6), bool)
    mask[2:] = True
    np.testing.assert_array_equal(found, vqzoo.load(saved).complete(IMAGES, mask, seed=3))
    np.testing.assert_array_equal(found[:, :2], IMAGES[:, :2])
    assert main(["sample", saved, "--temperature", "0.5"]) == 1
    assert "`temperature` must be 1.0" in capsys.readouterr().err


def test_scores_are_exact_bits_and_samples(saved, work, capsys):
    assert main(["evaluate", saved, "--data", "data", "--samples", "8"]) == 0
    lines = dict(line.split() for line in capsys.readouterr().out.splitlines())
    bits, kind = vqzoo.load(saved).bits_per_dim(IMAGES)
    assert lines["images.kind"] == kind == "exact"
    assert float(lines["images.bits_per_dim"]) == pytest.approx(bits.mean(), rel=1e-5)
    assert float(lines["generalisation.train_bits_per_dim"]) == pytest.approx(bits.mean(), rel=1e-5)
    assert float(lines["generalisation.bits_per_dim_gap"]) == pytest.approx(0, abs=1e-6)
    assert lines["samples.num_samples"] == "8" and float(lines["samples.variance_ratio"]) > 0
    parts = {line.split(".")[0] for line in lines}
    assert parts == {"size", "images", "samples", "generalisation"}
