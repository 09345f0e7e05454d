"""Commands on a model of two levels of codes."""

import numpy as np
import pytest
from PIL import Image

import vqzoo
from tests.export.tiny_zoo import random_images
from tests.tiny_levels import tiny_levels
from vqzoo.cli.main import main

IMAGES = random_images(3, (8, 16, 3))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "levels"
    tiny_levels(["circle", "square", "star"]).save(folder)
    return folder


@pytest.fixture
def work(saved, tmp_path, monkeypatch):
    """A working folder with `images/`, three PNG files."""
    (tmp_path / "images").mkdir()
    for i, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder):
    return np.stack([np.asarray(Image.open(f"{folder}/{i}.png")) for i in range(3)])


def test_encoded_and_decoded_all_levels_are_the_reconstructions(saved, work, capsys):
    assert main(["encode", str(saved), "images"]) == 0
    assert "3x2x4, 3x4x8, to codes.npz" in capsys.readouterr().out
    model = vqzoo.load(saved)
    with np.load("codes.npz") as file:
        for level, codes in enumerate(model.encode(IMAGES)):
            np.testing.assert_array_equal(file[f"codes_{level}"], codes)
    assert main(["decode", str(saved), "codes.npz"]) == 0
    np.testing.assert_array_equal(written("decoded"), model.reconstruct(IMAGES))


def test_a_file_without_a_level_is_refused(saved, work, capsys):
    main(["encode", str(saved), "images"])
    with np.load("codes.npz") as file:
        content = {name: file[name] for name in file.files if name != "codes_1"}
    np.savez("half.npz", **content)
    capsys.readouterr()
    assert main(["decode", str(saved), "half.npz"]) == 1
    assert "has no array 'codes_1'" in capsys.readouterr().err


def test_completion_draws_what_the_box_touches_on_every_level(saved, work, capsys):
    arguments = ["complete", str(saved), "images", "--box", "0,6,8,4", "--labels", "star"]
    assert main([*arguments, "--seed", "3"]) == 0
    mask = np.zeros((8, 16), bool)
    mask[:, 6:10] = True
    found = written("completed")
    np.testing.assert_array_equal(found[:, ~mask], IMAGES[:, ~mask])
    model = vqzoo.load(saved)
    np.testing.assert_array_equal(found, model.complete(IMAGES, mask, "star", seed=3))
    # columns 6 to 9 lie in the codes 1 and 2 of the coarse level and 3 and 4 of the fine one
    masks = [np.zeros((3, 2, 4), bool), np.zeros((3, 4, 8), bool)]
    masks[0][..., 1:3] = masks[1][..., 3:5] = True
    drawn = model.prior.sample(3, 2, 3, known=(model.encode(IMAGES), masks))
    np.testing.assert_array_equal(found[:, mask], model.decode(drawn)[:, mask])


def test_levels_whose_sizes_do_not_fit_each_other_are_one_clear_error(saved):
    model = vqzoo.load(saved)
    top, bottom = model.encode(IMAGES)
    wide = [np.tile(level, (1, 1, 3)) for level in (top, bottom)]
    assert model.decode(wide).shape == (3, 8, 48, 3)
    for codes in ([top, wide[1]], [wide[0], bottom], [top, bottom[:, 1:]]):
        with pytest.raises(ValueError, match=r"`codes` must hold arrays of shape \(batch, \d"):
            model.decode(codes)
