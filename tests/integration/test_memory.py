"""Data larger than memory: what extraction and training hold does not grow with the images."""

import tracemalloc

import pytest
from tests.data.image_files import write_folder

from vqzoo import data
from vqzoo.data import batches, code_writer, image_folder

SHAPE, IMAGE_BYTES = (64, 64, 3), 64 * 64 * 3
FEW, MANY = 150, 600
PER_IMAGE = 1500
"""Bytes an image may cost: its path and bookkeeping (400 to 600). Its pixels are 12,288, its codes,
in the two levels of this test, 5,120."""


def peak(function, *arguments):
    """Most bytes that Python and NumPy held at once during a call."""
    tracemalloc.start()
    function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def open_and_train(folder):
    source = data.open_source({"image_shape": list(SHAPE)}, "train", folder)
    for _ in data.training_batches(source, 8, seed=0, steps=len(source) // 8, labels=False):
        pass


def codes_of(source):
    """What an encoder might give: two levels of codes, from the first pixels of the images."""
    for batch in data.eval_batches(source, 16):
        pixels = batch["image"].astype("int32")
        fine = pixels[:, :32, :, 1] + pixels[:, 32:, :, 2]
        yield {"codes_0": pixels[:, ::2, ::2, 0], "codes_1": fine}


def extract(folder, target):
    source = data.open_source({"image_shape": list(SHAPE)}, "train", folder)
    data.CodeStore.write(target, codes_of(source), [256, 512], "hash")


def read_codes(target):
    store = data.CodeStore(target)
    for _ in data.code_batches(store, 8, seed=0, steps=len(store) // 8):
        pass


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders of pictures, and limits on memory that both exceed."""
    # How far reading gets ahead, up to its bound, is a matter of what else the machine does.
    monkeypatch.setattr(batches, "BATCHES_AHEAD", 1)
    monkeypatch.setattr(image_folder, "MEMORY_LIMIT", 20 * IMAGE_BYTES)
    monkeypatch.setattr(code_writer, "SHARD_BYTES", 20 * 5120)
    for count in (FEW, MANY):
        write_folder(tmp_path / str(count), [f"train/{i}.png" for i in range(count)], SHAPE)
    return [tmp_path / str(count) for count in (FEW, MANY)]


def assert_constant(peaks):
    few, many = peaks
    assert few > IMAGE_BYTES, "nothing was measured"
    assert (many - few) / (MANY - FEW) < PER_IMAGE, peaks


def test_training_from_a_folder(folders):
    open_and_train(folders[0])  # what is imported and cached once
    assert_constant([peak(open_and_train, folder) for folder in folders])


def test_extracting_and_reading_codes(folders, tmp_path):
    extract(folders[0], tmp_path / "codes")
    read_codes(tmp_path / "codes")
    targets = [tmp_path / f"codes{i}" for i in range(2)]
    assert_constant([peak(extract, *places) for places in zip(folders, targets, strict=True)])
    sizes = [len(data.CodeStore(target)) for target in targets]
    assert sizes == [FEW, MANY]
    assert_constant([peak(read_codes, target) for target in targets])
