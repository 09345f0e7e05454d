import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from tests.data.code_batches_in_memory import CODES, COUNT, NAMES, SIZES, in_batches

from vqzoo.data import CodeStore, code_batches, code_writer, eval_batches

ROOT = pathlib.Path(__file__).parents[2]
CONFIG = {"family": "VQVAE", "filters": [8, 16], "decay": 0.99}


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(code_writer, "SHARD_BYTES", 20 * 37)  # 20 images: 3 shards, one smaller
    return CodeStore.write(tmp_path / "codes", in_batches(8), SIZES, "abc", NAMES, CONFIG)


def test_what_was_written_is_read(store):
    assert len(store) == COUNT and len(store.manifest["shards"]) == 3
    assert store.latent_shapes == [(2, 3), (4, 6)] and store.codebook_sizes == SIZES
    assert store.class_names == NAMES and store.tokenizer_hash == "abc"
    assert store.manifest["config"] == CONFIG
    for index in (0, 19, 20, 49, -1):
        example = store[index]
        assert list(example) == list(CODES)
        for key, expected in CODES.items():
            assert example[key].dtype == np.int32
            np.testing.assert_array_equal(example[key], expected[index])
    order = np.random.default_rng(1).integers(0, COUNT, 64)
    for key, rows in store.take(order).items():
        assert rows.dtype == np.int32
        np.testing.assert_array_equal(rows, CODES[key][order])
    with pytest.raises(IndexError, match="below 50"):
        store[COUNT]


def test_the_size_that_the_docs_state_is_that_of_the_files(store):
    def bytes_of(count, shapes, sizes, num_classes):
        levels = zip(shapes, sizes, strict=True)
        codes = sum(np.prod(shape) * (1 if size <= 256 else 2) for shape, size in levels)
        return count * (codes + (1 if num_classes <= 256 else 2))

    arrays = list(store.folder.glob("*.npy"))
    written = sum(path.stat().st_size for path in arrays)
    header = 128  # of an .npy file
    expected = bytes_of(COUNT, store.latent_shapes, SIZES, len(NAMES)) + header * len(arrays)
    assert written == expected
    imagenet = bytes_of(1_280_000, [(32, 32), (64, 64)], [512, 512], 1000)
    assert f"{imagenet:,} bytes" in (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_without_labels(tmp_path):
    codes = {"codes_0": CODES["codes_0"]}
    store = CodeStore.write(tmp_path / "codes", in_batches(8, codes), [300], "abc")
    assert store.class_names is None and set(store[0]) == {"codes_0"}


def test_codes_of_another_autoencoder_are_refused(store):
    store.check_tokenizer("abc")
    with pytest.raises(ValueError, match="another autoencoder.*must be abc. Received: 'abd'"):
        store.check_tokenizer("abd")


def test_it_is_read_with_numpy_alone(store):
    """The reading example of docs/data.md, in an interpreter that can import neither."""
    code = f"""
import sys
sys.modules["tensorflow"] = sys.modules["vqzoo"] = None
import json, pathlib, numpy as np
folder = pathlib.Path({str(store.folder)!r})
manifest = json.loads((folder / "manifest.json").read_text())
def read(key):
    files = [shard[key]["file"] for shard in manifest["shards"]]
    return np.concatenate([np.load(folder / file) for file in files])
print(json.dumps([read(key).tolist() for key in ("codes_0", "codes_1", "labels")]))
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert json.loads(process.stdout) == [array.tolist() for array in CODES.values()]


def test_training_batches_hold_the_codes_and_resume(store):
    whole = [x for (x,) in code_batches(store, 8, seed=3, steps=25)]
    rows = {CODES["codes_1"][i].tobytes(): i for i in range(COUNT)}
    order = [rows[codes.tobytes()] for x in whole for codes in x["codes_1"]]
    assert sorted(order) == sorted([*range(COUNT)] * 4)  # 200 codes are four passes
    for step, x in enumerate(whole):
        for key, array in x.items():
            assert array.dtype == np.int32
            np.testing.assert_array_equal(array, CODES[key][order[8 * step : 8 * step + 8]])
    tail = [x for (x,) in code_batches(store, 8, seed=3, steps=25, start_step=20)]
    for ours, theirs in zip(tail, whole[20:], strict=True):
        assert all((ours[key] == theirs[key]).all() for key in CODES)


def test_evaluation_reads_in_order(store):
    found = [batch["codes_0"] for batch in eval_batches(store, 8)]
    np.testing.assert_array_equal(np.concatenate(found), CODES["codes_0"])


def test_reading_imports_no_tensorflow(store):
    code = f"""
import sys
from vqzoo.data import CodeStore, code_batches
batches = list(code_batches(CodeStore({str(store.folder)!r}), 8, 0, 3))
print(len(batches), "tensorflow" in sys.modules, "keras" in sys.modules)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout.split() == ["3", "False", "False"], process.stderr
