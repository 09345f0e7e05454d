"""A disk that fills up in each part of a run: one line, and the same command goes on from there."""

import warnings

import numpy as np
import pytest
from tests.full_disk import disk_of
from tests.integration import tiny_run
from tests.integration.weights_of_run import weights_of

from vqzoo import weights
from vqzoo.cli.main import main
from vqzoo.data import CodeStore
from vqzoo.training import callbacks, judging, recipe
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.event_log import EventLog
from vqzoo.training.run_folder import RunFolder

pytestmark = pytest.mark.slow

PARTS = {
    "the configuration": (RunFolder, "write_config", 1),
    "the first checkpoint": (Checkpoints, "save", 1),
    "a later checkpoint": (Checkpoints, "save", 2),
    "the log": (EventLog, "scalars", 1),
    "the weights of stage 1": (weights, "save_weights", 1),
    "the codes": (CodeStore, "write", 1),
    "a checkpoint of the prior": (Checkpoints, "save", 4),
    "the best weights of the prior": (callbacks, "save_weights_whole", 1),
    "the model": (weights, "save_folder", 1),
    "the pictures": (judging.evaluation, "draw_pictures", 1),
    "the scores": (judging, "write_results", 1),
}
"""Of each part: the function before whose n-th call the disk fills up."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    tiny_run.write_images(folder)
    return folder


def command(images, run):
    yaml = images / "stripes.yaml"
    return ["train", str(yaml), "--data", str(images), "--folder", str(run), "--smoke"]


@pytest.fixture(scope="module")
def undisturbed(images, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert main(command(images, run)) == 0
    return weights_of(run)


def fill_before(disk, monkeypatch, owner, name, count):
    """Fills the disk before the `count`-th call of a function."""
    real, calls = getattr(owner, name), []

    def filling(*args, **kwargs):
        calls.append(name)
        if len(calls) == count:
            disk.fill()
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, staticmethod(filling) if owner is CodeStore else filling)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["tmpfs", "limit"])
def test_no_room_for_a_part_of_a_run(
    kind, part, images, undisturbed, tmp_path, monkeypatch, capsys
):
    if part not in ("the pictures", "the scores"):
        monkeypatch.setattr(recipe, "judge", lambda *arguments: None)
    with disk_of(kind, tmp_path / "disk") as disk, monkeypatch.context() as patch:
        run = disk.path / "run"
        fill_before(disk, patch, *PARTS[part])
        code = main(command(images, run))
        disk.clear()
        error = capsys.readouterr().err
        *_, line = error.splitlines()
        assert code == 1 and "Traceback" not in error and "Exception" not in error, error
        assert line.startswith("vqzoo train: error: ") and str(run) in line
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as: a checkpoint is damaged
            for stage in ("autoencoder", "prior"):
                Checkpoints(run / "checkpoints" / stage).notes()
        patch.undo()
        assert main(command(images, run)) == 0
        found = weights_of(run)
        assert found.keys() == undisturbed.keys()
        for name, array in undisturbed.items():
            np.testing.assert_array_equal(found[name], array, err_msg=str(name))
