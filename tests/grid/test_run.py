"""A whole grid in one process, small: what it trains, what it writes, what it does again."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.grid.tiny_grid import tiny, write_images

from vqzoo import zoo
from vqzoo.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folders of images and of a grid of two variants, and what its run gave."""
    folder = tmp_path_factory.mktemp("grid")
    write_images(folder / "images")
    results = tiny(folder / "images", folder / "runs", only=["categorical_joint"]).run()
    return folder / "images", folder / "runs", results


def test_the_fitted_scale_is_that_of_the_others(finished):
    _, runs, results = finished
    assert list(results["variants"]) == ["quantized_marginal", "categorical_joint"]
    first, second = (variant["seeds"]["0"]["scores"] for variant in results["variants"].values())
    assert first["scale"] == second["scale"] != 20.0
    models = [zoo.load(runs / f"{name}-seed0") for name in results["variants"]]
    assert [model.autoencoder.fits_scale for model in models] == [True, False]
    scales = [float(model.autoencoder.likelihood_scale) for model in models]
    assert scales == [first["scale"]] * 2


def test_writes_numbers_table_and_pictures(finished):
    _, runs, results = finished
    assert json.loads((runs / "grid.json").read_text()) == results
    names = {path.name for path in runs.iterdir() if path.is_file()}
    kinds = ("samples", "codes")
    pictures = {f"{kind}_{name}.png" for kind in kinds for name in results["variants"]}
    assert names == {"settings.json", "grid.json", "table.md", "usage.png", "bits.png"} | pictures
    assert Image.open(runs / "codes_categorical_joint.png").size == (10 * 66 + 2, 4 * 66 + 2)
    for path in pictures | {"usage.png", "bits.png"}:
        assert np.ptp(np.asarray(Image.open(runs / path))) > 50, f"{path} is empty"


def test_a_finished_grid_is_not_trained_again(finished, capsys):
    images, runs, results = finished
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*-seed0/**/*") if path.is_file()}
    again = tiny(images, runs, only=["categorical_joint"]).run()
    assert again == results and "training" not in capsys.readouterr().err
    lock = {path for path in before if path.name == ".lock"}
    assert all(path.stat().st_mtime_ns == time for path, time in before.items() if path not in lock)


def test_a_cell_of_another_process_is_left_to_it(finished, capsys):
    images, runs, _ = finished
    with RunFolder(runs / "quantized_uniform-seed0"):
        results = tiny(images, runs, only=["quantized_uniform"]).run()
    assert "quantized_uniform-seed0: left to the process that trains it" in capsys.readouterr().err
    assert "quantized_uniform" not in results["variants"]
