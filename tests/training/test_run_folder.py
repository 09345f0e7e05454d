"""A run folder belongs to one process and one configuration, and has room."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from vqzoo.training import run_folder
from vqzoo.training.run_folder import RunFolder

CONFIG = {"data": {"name": "cifar10", "image_shape": [32, 32, 3]}, "autoencoder": {"filters": 8}}


def test_a_second_process_is_told_and_the_lock_dies_with_the_first(tmp_path):
    hold = (
        "import sys, time; from vqzoo.training.run_folder import RunFolder\n"
        "with RunFolder(sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match="another process is training in"):
            RunFolder(tmp_path).__enter__()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with RunFolder(tmp_path):
        pass


def test_an_unwritable_folder_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="the run folder .*file/run cannot be written"):
        RunFolder(tmp_path / "file" / "run").__enter__()


def test_the_same_configuration_goes_on(tmp_path):
    for _ in range(2):
        with RunFolder(tmp_path) as run:
            run.check_config(CONFIG)
            run.write_config(CONFIG)
    assert "cifar10" in (tmp_path / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**CONFIG, "autoencoder": {"filters": 16}}, "`autoencoder.filters` is 8 there.* 16"),
        ({**CONFIG, "autoencoder": {}}, "`autoencoder.filters` is 8 there.* None"),
        ({**CONFIG, "prior": {"family": "A"}}, "`prior.family` is None there.* 'A'"),
    ],
)
def test_another_configuration_is_refused_naming_the_key(tmp_path, config, message):
    with RunFolder(tmp_path) as run:
        run.write_config(CONFIG)
        with pytest.raises(ValueError, match=message):
            run.check_config(config)


def test_a_small_disk_is_an_error_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_folder.shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000_000)
    )
    with RunFolder(tmp_path) as run:
        run.check_space(4_000_000)
        with pytest.raises(OSError, match="needs about 6 MB and the disk has 5 MB left"):
            run.check_space(6_000_000)


def test_size_counts_all_files(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a").write_bytes(bytes(1000))
    with RunFolder(tmp_path) as run:
        assert run.size() == 1000


def test_what_a_killed_process_left_half_written_is_cleared_and_nothing_else(tmp_path):
    half, whole = tmp_path / "model" / ".894-prior.weights.h5", tmp_path / "model" / "config.yaml"
    foreign = tmp_path / ".2026-notes"
    half.parent.mkdir()
    for path in (half, whole, foreign):
        path.touch()
    with RunFolder(tmp_path) as run:
        assert half.exists(), "a run that may still be refused touches nothing"
        run.write_config({"data": {}})
        assert not half.exists() and whole.exists() and foreign.exists()
