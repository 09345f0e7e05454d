"""Commands that run out of room: one line that names what was written, and nothing half there."""

import shutil

import pytest
from PIL import Image
from tests.full_disk import disk_of, files_below

import vqzoo
from vqzoo import zoo
from vqzoo.cli.main import main


@pytest.fixture(params=["tmpfs", "limit"])
def disk(request, tmp_path):
    with disk_of(request.param, tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def work(tiny_folder, tiny_model, tiny_images, tmp_path, monkeypatch):
    """A working folder with `tiny/`, a model, and `images/` with two PNG files."""
    shutil.copytree(tiny_folder, tmp_path / "tiny")
    (tmp_path / "images").mkdir()
    for i in range(2):
        Image.fromarray(tiny_images[i, ..., 0]).save(tmp_path / "images" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "load", lambda name: tiny_model)  # which has compiled its sampler
    assert main(["encode", "tiny", "images", "--output", "codes.npz"]) == 0
    return tmp_path


COMMANDS = {
    "sample": ["tiny", "--num", "1", "--output", "disk/a.png"],
    "reconstruct": ["tiny", "images", "--output", "disk/out"],
    "complete": ["tiny", "images", "--box", "4,0,4,4", "--output", "disk/out"],
    "encode": ["tiny", "images", "--output", "disk/c.npz"],
    "decode": ["tiny", "codes.npz", "--output", "disk/out"],
    "export": ["tiny", "disk/served"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_room_is_one_line_and_leaves_nothing(work, disk, capsys, command):
    capsys.readouterr()
    disk.fill()
    code = main([command, *COMMANDS[command]])
    disk.clear()
    output = capsys.readouterr()
    assert code == 1
    (line,) = output.err.splitlines()
    assert line.startswith(f"vqzoo {command}: error: ") and "disk" in line
    assert files_below(disk.path) == {}
    assert main([command, *COMMANDS[command]]) == 0, "with room it must work"


def test_a_model_that_cannot_be_saved_leaves_the_old_one(work, disk, tiny_yaml, tiny_model):
    folder = disk.path / "model"
    tiny_model.save(folder)
    before = files_below(folder)
    disk.fill()
    with pytest.raises(OSError, match="cannot write .*disk/model"):
        vqzoo.create(tiny_yaml).save(folder)
    disk.clear()
    assert files_below(folder) == before
