"""Every wrong use of `vqzoo grid`: one line, exit code 2, and nothing written."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.grid.tiny_grid import tiny, write_images

from vqzoo.cli.main import main


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong_grids")
    write_images(folder / "good")
    write_images(folder / "odd", side=10)
    (folder / "empty").mkdir()
    other = json.dumps({"grid": "discrete_vae", "data": "cifar10"})
    for kind, text in (("other", other), ("broken", "{"), ("list", "[1]")):
        (folder / kind).mkdir()
        (folder / kind / "settings.json").write_text(text)
    (folder / "file").touch()
    return folder


USES = [
    (["discrete_va", "--data", "good"], "no grid named 'discrete_va'; did you mean discrete_vae?"),
    (["discrete_vae"], "the following arguments are required: --data"),
    (["discrete_vae", "--data", "cifar100"], "`data` must be a folder of images, or one of"),
    (["discrete_vae", "--data", "fashion_mnits"], "did you mean 'fashion_mnist'?"),
    (["discrete_vae", "--data", ""], "`data` must be a path"),
    (["discrete_vae", "--data", "file"], "`data` must be a folder of images"),
    (["discrete_vae", "--data", "empty"], "no images"),
    (["discrete_vae", "--data", "odd"], "divisible by 4. Received: odd/train/0.png, 10 pixels"),
    (["discrete_vae", "--data", "good", "--seeds", "0"], "--seeds: must be a whole number of 1"),
    (["discrete_vae", "--data", "good", "--images", "-1"], "--images: must be a whole number of 1"),
    (["discrete_vae", "--data", "good", "--epochs", "0.5"], "--epochs: must be a whole number of"),
    (["discrete_vae", "--data", "good", "--only", "joint"], '`only` must be one of "quantized_m'),
    (["discrete_vae", "--data", "good", "--folder", "file"], "must be a folder, and 'file' is a"),
    (["discrete_vae", "--data", "good", "--folder", "other"], "in other `data` is 'cifar10'"),
    (["discrete_vae", "--data", "good", "--folder", "broken"], "broken/settings.json is damaged"),
    (["discrete_vae", "--data", "good", "--folder", "list"], "list/settings.json is damaged"),
]


@pytest.mark.parametrize(("arguments", "message"), USES, ids=lambda value: str(value)[14:70])
def test_wrong_use_is_one_line_and_writes_nothing(prepared, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(prepared)
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    assert main(["grid", *arguments]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("vqzoo grid: error: ") and message in line
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == before


def test_more_images_than_there_are_show_when_they_are_read(prepared, tmp_path, capfd):
    uses = ["--data", str(prepared / "good"), "--images", "25", "--folder", str(tmp_path / "runs")]
    assert main(["grid", "discrete_vae", *uses]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "`images` must be at most 24" in line and not (tmp_path / "runs").exists()


def test_an_image_of_another_size_is_named(tmp_path, monkeypatch, capfd):
    write_images(tmp_path / "mixed")
    Image.fromarray(np.zeros((12, 8), "uint8")).save(tmp_path / "mixed" / "train" / "9.png")
    monkeypatch.chdir(tmp_path)
    assert main(["grid", "discrete_vae", "--data", "mixed"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "9.png: images must be 8 pixels high and 8 wide" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": 0}, "`seeds`"),
        ({"seeds": True}, "`seeds`"),
        ({"epochs": 1.5}, "`epochs`"),
        ({"smoke": "yes"}, "`smoke`"),
        ({"only": "categorical_joint"}, "`only`"),
        ({"only": ["nothing"]}, "`only`"),
        ({"autoencoder": ["filters"]}, "`autoencoder`"),
        ({"autoencoder": {"filtres": 8}}, "filtres.*did you mean 'filters'"),
        ({"autoencoder": {"posterior": "quantized"}}, "`autoencoder`.*posterior"),
        ({"network": {"family": "PixelCN"}}, "PixelCN"),
        ({"folder": 5}, "`folder`"),
        ({"data": None}, "`data`"),
    ],
)
def test_wrong_arguments_are_named(prepared, tmp_path, arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        tiny(**{"data": prepared / "good", "folder": tmp_path / "runs", **arguments})
    assert not (tmp_path / "runs").exists()
