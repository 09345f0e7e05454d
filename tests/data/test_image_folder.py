import logging

import numpy as np
import pytest
from tests.data.image_files import picture, write_folder, write_picture

from vqzoo.data import folder_class_names, image_folder, open_source

NAMES = ["boot", "bag", "coat"]  # not in alphabetical order: ids follow this list, not the disk
CONFIG = {"image_shape": [4, 6, 1], "class_names": NAMES}
FILES = [f"train/{NAMES[i % 3]}/{i}.png" for i in range(12)] + ["test/coat/12.png"]


@pytest.fixture
def folder(tmp_path):
    write_folder(tmp_path, FILES)
    return tmp_path


def damage(path):
    path.write_bytes(path.read_bytes()[:40])


def by_number(source, files, split):
    """Yields (picture number, example); `files` in the order they were numbered in."""
    order = sorted(name for name in files if name.startswith(split))
    assert len(source) == len(order)
    for name, example in zip(order, source, strict=True):
        yield files.index(name), example


@pytest.mark.parametrize("limit", [2**30, 0])
def test_images_and_labels(folder, monkeypatch, limit):
    monkeypatch.setattr(image_folder, "MEMORY_LIMIT", limit)
    for split in ("train", "test"):
        source = open_source(CONFIG, split, folder)
        assert source.class_names == NAMES and source.image_shape == (4, 6, 1)
        for number, example in by_number(source, FILES, split):
            np.testing.assert_array_equal(example["image"], picture(number))
            assert example["label"] == (2 if number == 12 else number % 3)
        batch = source.take(range(len(source)))
        np.testing.assert_array_equal(batch["image"], [example["image"] for example in source])
        assert batch["label"].tolist() == [example["label"] for example in source]


def test_folders_called_by_ids(tmp_path):
    write_folder(tmp_path, ["train/2/0.png", "train/0/1.png"])
    source = open_source(CONFIG, "train", tmp_path)
    assert [example["label"] for example in source] == [0, 2]
    assert folder_class_names(tmp_path, NAMES) == NAMES


def test_names_come_before_ids(tmp_path):
    write_folder(tmp_path, ["train/2/0.png", "train/1/1.png"])
    source = open_source({**CONFIG, "class_names": ["2", "1", "0"]}, "train", tmp_path)
    assert [example["label"] for example in source] == [1, 0]


def test_other_names_are_an_error_unless_they_become_the_names(tmp_path):
    write_folder(tmp_path, ["train/zebra/0.png", "train/ant/1.png", "test/bag/2.png"])
    with pytest.raises(ValueError, match=r"class names \['boot'.*Received: \['ant', 'zebra'\]"):
        open_source(CONFIG, "train", tmp_path)
    found = folder_class_names(tmp_path, NAMES)
    assert found == ["ant", "bag", "zebra"], "both splits must agree on the ids"
    for fresh in ({**CONFIG, "class_names": None}, {**CONFIG, "class_names": found}):
        train, test = (open_source(fresh, split, tmp_path) for split in ("train", "test"))
        assert train.class_names == test.class_names == found
        assert [example["label"] for example in train] == [0, 2] and test[0]["label"] == 1


def test_flat_folders_have_no_labels(tmp_path):
    write_folder(tmp_path, [f"{i}.png" for i in range(4)])
    source = open_source(CONFIG, "train", tmp_path)
    assert not source.has_labels and source.class_names is None and set(source[0]) == {"image"}
    assert folder_class_names(tmp_path, NAMES) is None


def test_an_unreadable_file_is_named(folder):
    damage(folder / "train/bag/4.png")
    with pytest.raises(OSError, match=r"bag/4\.png: not readable"):
        open_source(CONFIG, "train", folder)


@pytest.mark.parametrize("limit", [2**30, 0])
def test_skip_bad_counts_and_leaves_out(folder, monkeypatch, caplog, limit):
    monkeypatch.setattr(image_folder, "MEMORY_LIMIT", limit)
    whole = list(open_source(CONFIG, "train", folder))
    bad = ["train/bag/1.png", "train/coat/11.png"]
    for name in bad:
        damage(folder / name)
    with caplog.at_level(logging.WARNING, "vqzoo"):
        source = open_source(CONFIG, "train", folder, skip_bad=True)
    assert source.skipped == 2 and source.skipped_names == [str(folder / name) for name in bad]
    assert "2 unreadable of 12" in caplog.text
    lost = [sorted(FILES[:12]).index(name) for name in bad]
    kept = [example for i, example in enumerate(whole) if i not in lost]
    assert len(source) == 10
    for example, expected in zip(source, kept, strict=True):
        np.testing.assert_array_equal(example["image"], expected["image"])
        assert example["label"] == expected["label"]


def test_nothing_readable_is_an_error(folder):
    damage(folder / "test/coat/12.png")
    with pytest.raises(OSError, match="none of the 1 images of the test split"):
        open_source(CONFIG, "test", folder, skip_bad=True)


def test_skip_bad_hides_no_wrong_size(folder):
    write_picture(folder / "train/bag/big.png", picture(0, (8, 6, 1)))
    with pytest.raises(ValueError, match=r"bag/big\.png.*8 high, 6 wide"):
        open_source(CONFIG, "train", folder, skip_bad=True)
