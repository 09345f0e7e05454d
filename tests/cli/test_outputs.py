"""What commands write: checked before work, whole, and never over an input."""

import os
import shutil
import types

import numpy as np
import pytest
from PIL import Image

from vqzoo import zoo
from vqzoo.cli import code_file, image_files
from vqzoo.cli.main import main
from vqzoo.evaluation import pictures


@pytest.fixture
def work(tiny_folder, tiny_images, tmp_path, monkeypatch):
    """A working folder with `tiny/`, a model, `images/` with two PNG files, and `mask.png`."""
    shutil.copytree(tiny_folder, tmp_path / "tiny")
    (tmp_path / "images").mkdir()
    for i in range(2):
        Image.fromarray(tiny_images[i, ..., 0]).save(tmp_path / "images" / f"{i}.png")
    Image.new("L", (12, 8), 255).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_load(monkeypatch):
    """Fails a test in which a model is loaded."""

    def load(name):
        raise AssertionError(f"{name} was loaded")

    monkeypatch.setattr(zoo, "load", load)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "tiny", "--output", "a.jpg"], "must be a file that ends in .png, not 'a.jpg'"),
        (["sample", "tiny", "--output", "dir.png"], "must be a file, and 'dir.png' is a folder"),
        (["sample", "tiny", "--output", "mask.png/a.png"], "because 'mask.png' is a file"),
        (["sample", "tiny", "--output", ""], "must be a path"),
        (["sample", "tiny", "--output", "tiny_reconstructions.png"], "where the reconstructions"),
        (["sample", "tiny", "--num", "3334"], "holds at most 10000 images, not 10002"),
        (["encode", "tiny", "images", "--output", "c"], "must be a file that ends in .npz"),
        (["reconstruct", "tiny", "images", "--output", "mask.png"], "'mask.png' is a file"),
        (["reconstruct", "tiny", ""], "there is no file or folder ''"),
        (["decode", "tiny", "mask.png", "--output", "mask.png"], "'mask.png' is a file"),
        (["export", "tiny", "mask.png"], "must be a folder, and 'mask.png' is a file"),
        (["reconstruct", "tiny", "images", "--output", "images"], "images/0.png would replace"),
        (["reconstruct", "tiny", "images/1.png", "--output", "x/../images"], "would replace"),
        (
            ["complete", "tiny", "images", "--mask", "mask.png", "--output", "images"],
            "images/0.png would replace one of the inputs",
        ),
    ],
)
def test_wrong_outputs_are_seen_before_a_model_is_loaded(
    work, no_load, capsys, arguments, message
):
    (work / "dir.png").mkdir()
    before = {path: path.read_bytes() for path in work.rglob("*.png") if path.is_file()}
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vqzoo {arguments[0]}: error: argument ") and message in line
    assert before == {path: path.read_bytes() for path in work.rglob("*.png") if path.is_file()}


@pytest.mark.parametrize("command", ["reconstruct", "encode"])
def test_images_are_read_before_a_model_is_loaded(work, no_load, capsys, command):
    (work / "images" / "1.png").write_bytes(b"no picture")
    assert main([command, "tiny", "images"]) == 1
    assert "1.png: not readable" in capsys.readouterr().err


def test_the_mask_is_an_input_too(work, no_load, capsys):
    shutil.copy("mask.png", "0.png")
    arguments = ["complete", "tiny", "images", "--mask", "0.png", "--output", "."]
    assert main(arguments) == 2
    assert "0.png would replace" in capsys.readouterr().err


def test_missing_folders_are_made(work, capsys):
    assert main(["encode", "tiny", "images/0.png", "--output", "new/deep/c.npz"]) == 0
    assert "wrote the codes of 1 image, 1x2x3, to new" in capsys.readouterr().out
    assert main(["decode", "tiny", "new/deep/c.npz", "--output", "new/out"]) == 0
    assert "wrote 1 image to new/out/" in capsys.readouterr().out
    assert os.listdir("new/deep") == ["c.npz"] and os.listdir("new/out") == ["0.png"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    path, codes = tmp_path / "a.png", tmp_path / "c.npz"
    pictures.save_png(path, np.zeros((2, 2, 3), "uint8"))
    owner = types.SimpleNamespace(codebook_sizes=[2], tokenizer_hash=lambda: "hash")
    code_file.write_codes(codes, [np.zeros((1, 2, 2), int)], ["a"], owner)
    before = path.read_bytes(), codes.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match=f"cannot write {path}: No space left on device"):
        pictures.save_png(path, np.ones((2, 2, 3), "uint8"))
    with pytest.raises(OSError, match=f"cannot write {codes}: No space left on device"):
        code_file.write_codes(codes, [np.ones((1, 2, 2), int)], ["a"], owner)
    assert (path.read_bytes(), codes.read_bytes()) == before
    assert sorted(os.listdir(tmp_path)) == ["a.png", "c.npz"]


def test_one_is_not_many():
    shown = [image_files.counted(number, "image") for number in (0, 1, 2)]
    assert shown == ["0 images", "1 image", "2 images"]
