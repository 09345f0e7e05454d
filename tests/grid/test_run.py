"""A whole grid in one process, small: what it trains, what it writes, what it does again."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from tests.grid.tiny_grid import tiny, write_images

from vqzoo import zoo
from vqzoo.grid import cell
from vqzoo.grid.settings import write_settings
from vqzoo.grid.variants import GRIDS
from vqzoo.training.run_folder import RunFolder

ROOT = pathlib.Path(__file__).parent.parent.parent


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


def test_a_grid_goes_on_where_it_was_stopped(finished, tmp_path, monkeypatch, capsys):
    """Stopped when a cell is trained and not scored yet, which leaves no `scores.json`."""
    images, runs, results = finished
    shutil.copytree(runs, tmp_path / "runs")
    (tmp_path / "runs/categorical_joint-seed0/scores.json").unlink()
    scored = []
    monkeypatch.setattr(cell, "cell_scores", lambda *arguments: scored.append(1) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tiny(images, tmp_path / "runs", only=["categorical_joint"]).run()
    monkeypatch.undo()
    again = tiny(images, tmp_path / "runs", only=["categorical_joint"]).run()
    assert "step" not in capsys.readouterr().err, "nothing was trained again"
    assert again["variants"]["categorical_joint"]["mean"] == pytest.approx(
        results["variants"]["categorical_joint"]["mean"], rel=1e-6
    )


def test_arguments_of_the_network_come_before_what_images_decide(finished, tmp_path, monkeypatch):
    images, seen = finished[0], []
    monkeypatch.setattr(cell.Cell, "run", lambda self, config, *_: seen.append(config))
    for network in ({"num_downsamplings": 1}, {}):
        arguments = {"only": ["quantized_marginal"], "network": network}
        tiny(images, tmp_path / str(len(seen)), **arguments).run()
    found = [config["prior"]["network"]["num_downsamplings"] for config in seen]
    assert found == [1, 0], "maps of 2 x 2 codes are not halved unless somebody wants it"


def test_a_folder_that_became_another_grid_s_is_refused(finished, tmp_path):
    grids = [tiny(finished[0], tmp_path / "runs", epochs=epochs) for epochs in (2, 3)]
    write_settings(grids[0].folder, grids[0].settings)
    with pytest.raises(ValueError, match="`epochs` is 2. Received: 3"):
        grids[1].run()


def test_a_tuple_is_the_same_setting_as_a_list(finished, tmp_path):
    network = {"family": "PixelSNAIL", "num_layers": 2, "filters": 8, "attention_after": (1, 2)}
    grid = tiny(finished[0], tmp_path / "runs", network=network)
    write_settings(grid.folder, grid.settings)
    tiny(finished[0], tmp_path / "runs", network=network)


def command(images, runs, *arguments):
    uses = ["grid", "discrete_vae", "--data", images, "--folder", runs, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "vqzoo.cli.main", *map(str, uses)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_the_whole_grid_by_two_processes(tmp_path):
    """The entries' own smoke networks; each process trains what the other has not."""
    write_images(tmp_path / "images", side=16)
    both = [command(tmp_path / "images", tmp_path / "runs", "--smoke") for _ in range(2)]
    outputs = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    trained = [line.split(":")[0] for _, err in outputs for line in err.splitlines()
               if line.endswith(": training")]  # fmt: skip
    assert sorted(trained) == sorted(f"{name}-seed0" for name in GRIDS["discrete_vae"])
    last = json.loads((tmp_path / "runs/grid.json").read_text())
    assert list(last["variants"]) == list(GRIDS["discrete_vae"])
    scales = {v["seeds"]["0"]["scores"]["scale"] for v in last["variants"].values()}
    assert len(scales) == 1
    rows = (tmp_path / "runs/table.md").read_text().splitlines()
    assert len(rows) == 8 and any(rows[2] in out for out, _ in outputs)


@pytest.mark.slow
def test_a_killed_process_leaves_nothing_that_stops_the_next(tmp_path):
    write_images(tmp_path / "images", side=16)
    arguments = tmp_path / "images", tmp_path / "runs", "--smoke", "--only", "quantized_uniform"
    first = command(*arguments)
    while not list((tmp_path / "runs").glob("quantized_uniform-seed0/checkpoints/joint/step_*")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.kill()
    first.communicate()
    assert not (tmp_path / "runs/quantized_uniform-seed0/scores.json").exists()
    second = command(*arguments)
    output, errors = second.communicate()
    assert second.returncode == 0, errors
    assert "quantized_uniform" in output and "quantized_marginal-seed0: training" not in errors
