import resource
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tests.data.code_batches_in_memory import CODES, COUNT, NAMES, SIZES, in_batches

from vqzoo.data import CodeStore, code_writer


def write(folder, batches):
    return CodeStore.write(folder, batches, SIZES, "abc", NAMES)


@pytest.mark.parametrize("size", [1, 7, 20, 21, 40, 50])
@pytest.mark.parametrize("shard_images", [1, 20, 1000])
def test_shards_do_not_depend_on_the_batches(tmp_path, monkeypatch, size, shard_images):
    monkeypatch.setattr(code_writer, "SHARD_BYTES", shard_images * 37)
    store = write(tmp_path / "codes", in_batches(size))
    assert store.manifest["shard_size"] == shard_images
    assert len(store.manifest["shards"]) == -(-COUNT // shard_images)
    for key, rows in store.take(range(COUNT)).items():
        np.testing.assert_array_equal(rows, CODES[key])


def test_files_have_the_smallest_dtype(tmp_path):
    store = write(tmp_path / "codes", in_batches(8))
    dtypes = {
        key: np.load(store.folder / entry["file"]).dtype
        for key, entry in store.manifest["shards"][0].items()
    }
    assert dtypes == {"codes_0": np.uint16, "codes_1": np.uint8, "labels": np.uint8}


def test_memory_does_not_grow_with_the_data(tmp_path, monkeypatch):
    monkeypatch.setattr(code_writer, "SHARD_BYTES", 2**20)

    def peak(num_batches):
        batch = {"codes_0": np.zeros((16, 32, 32), "int32")}
        tracemalloc.start()
        CodeStore.write(tmp_path / str(num_batches), [batch] * num_batches, [512], "abc")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = peak(64), peak(640)  # 2 and 20 MiB of codes
    assert many < 1.2 * few < 8 * 2**20, (few, many)


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "codes").mkdir()
    with pytest.raises(FileExistsError, match="`folder` must not exist yet"):
        write(tmp_path / "codes", in_batches(8))


KILLED = """
import os, signal, sys
sys.path.insert(0, {checkout!r})
from tests.data.code_batches_in_memory import NAMES, SIZES, in_batches
from vqzoo.data import CodeStore, code_writer

def batches():
    for count, batch in enumerate(in_batches(8)):
        if count == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

code_writer.SHARD_BYTES = 20 * 37
CodeStore.write({folder!r}, batches(), SIZES, "abc", NAMES)
"""


def test_a_killed_run_leaves_no_store_and_the_next_one_starts_clean(tmp_path):
    folder = tmp_path / "codes"
    code = KILLED.format(checkout=str(Path(__file__).parents[2]), folder=str(folder))
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    left = [path.name for path in tmp_path.rglob("*.npy")]
    assert len(left) == 6 and not folder.exists(), "it must die after two of three shards"
    store = write(folder, in_batches(8))
    assert len(store) == COUNT and len(list(folder.iterdir())) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_a_failure_leaves_nothing(tmp_path):
    def batches():
        yield from in_batches(8)
        raise RuntimeError("the encoder failed")

    with pytest.raises(RuntimeError, match="the encoder failed"):
        write(tmp_path / "codes", batches())
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    """A limit on file sizes stands in for a full disk: `write` fails in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(OSError, match=r"cannot write the code store.*codes_0-00000\.npy"):
            write(tmp_path / "codes", in_batches(8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"codes_0": CODES["codes_0"] + 1}, r"'codes_0' must lie in 0 \.\. 299. Received: .* 300"),
        ({"codes_1": CODES["codes_1"] - 1}, r"'codes_1' must lie in 0 \.\. 6. Received: -1"),
        ({"labels": CODES["labels"] + 1}, r"'labels' must lie in 0 \.\. 2. Received: 1 \.\. 3"),
        ({"codes_0": CODES["codes_0"] * 1.0}, "'codes_0' must be integers of rank 3"),
        ({"codes_0": CODES["codes_0"][:, 0]}, "'codes_0' must be integers of rank 3"),
        ({"codes_2": CODES["codes_1"]}, "keys of .* Received: 'codes_2'"),
        ({"labels": CODES["labels"][:40]}, "arrays of one length"),
    ],
)
def test_codes_that_do_not_fit_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "codes", in_batches(50, CODES | change))
    assert not list(tmp_path.iterdir())


def test_batches_that_differ_are_refused(tmp_path):
    first, second, *_ = in_batches(8)
    del second["labels"]
    with pytest.raises(ValueError, match="must all hold"):
        write(tmp_path / "codes", [first, second])
    with pytest.raises(ValueError, match="must all hold .*codes_1"):
        write(tmp_path / "codes", [{"codes_0": CODES["codes_0"]}])
    with pytest.raises(ValueError, match="at least one image"):
        write(tmp_path / "codes", [])


def test_empty_batches_do_not_matter(tmp_path):
    empty = {key: array[:0] for key, array in CODES.items()}
    assert len(write(tmp_path / "codes", [empty, *in_batches(8), empty])) == COUNT
