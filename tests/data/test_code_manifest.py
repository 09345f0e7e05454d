import hashlib
import json

import numpy as np
import pytest
from tests.data.code_batches_in_memory import NAMES, SIZES, in_batches

from vqzoo.data import CodeStore, code_manifest, code_writer


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(code_writer, "SHARD_BYTES", 20 * 37)
    return CodeStore.write(tmp_path / "codes", in_batches(8), SIZES, "abc", NAMES).folder


def change_byte(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", ["codes_0-00000.npy", "codes_1-00002.npy", "labels-00001.npy"])
def test_a_damaged_shard_is_named(folder, file):
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:-1])
    with pytest.raises(ValueError, match=rf"{file}: must have {len(content)} bytes. Received"):
        CodeStore(folder)
    (folder / file).write_bytes(content)
    assert len(CodeStore(folder)) == 50
    for position in (8, -1):  # in the header, in the codes
        change_byte(folder / file, position)
        with pytest.raises(ValueError, match=f"{file}: changed after it was written"):
            CodeStore(folder)
        change_byte(folder / file, position)
    (folder / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"{file}: missing"):
        CodeStore(folder)


@pytest.mark.parametrize("key, value", [("class_names", ["a", "c", "b"]), ("count", 49)])
def test_a_changed_manifest_is_named(folder, key, value):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ValueError, match=r"manifest\.json: changed after it was written"):
        CodeStore(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", '{"sha256": 1}'])
def test_a_broken_manifest_is_named(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json: damaged"):
        CodeStore(folder)


def test_a_manifest_that_is_no_text_is_named(folder):
    (folder / "manifest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"manifest\.json: damaged"):
        CodeStore(folder)


def test_spaces_in_the_manifest_do_not_matter(folder):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=8))
    assert len(CodeStore(folder)) == 50


def test_a_newer_format_is_refused(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | {"format_version": code_manifest.FORMAT_VERSION + 1}
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"`format_version` must be 1. Received: 2"):
        CodeStore(folder)


def tamper(folder, array):
    """Puts an array in the place of the first shard, with the hashes that belong to it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["sha256"]
    entry = manifest["shards"][0]["codes_0"]
    np.save(folder / entry["file"], array, allow_pickle=True)
    content = (folder / entry["file"]).read_bytes()
    entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_bytes(code_manifest.encode(manifest))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((20, 2, 3), 300, "uint16"), r"must hold codes in 0\.\.299"),
        (np.zeros((20, 2, 3), "float32"), "must hold codes .* Received: float32 array"),
        (np.array([{}] * 20, dtype=object), "not a shard of codes .*Python objects"),
    ],
)
def test_a_shard_with_hashes_of_its_own_is_still_looked_at(folder, array, message):
    tamper(folder, array)
    with pytest.raises(ValueError, match=rf"codes_0-00000\.npy: {message}"):
        CodeStore(folder)


def test_no_store_is_no_store(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"not a code store, manifest\.json is missing"):
        CodeStore(tmp_path)


@pytest.mark.parametrize("size, dtype", [(1, "uint8"), (256, "uint8"), (257, "uint16")])
def test_the_smallest_dtype_is_chosen(size, dtype):
    assert code_manifest.dtype_of(size) == dtype


@pytest.mark.parametrize("size", [0, 65537])
def test_sizes_beyond_16_bits_are_refused(size):
    with pytest.raises(ValueError, match="`codebook_sizes` must lie in 1 .. 65536"):
        code_manifest.dtype_of(size)
