import pytest
from tests.data.image_files import write_folder

from vqzoo.data.folder_layout import class_folders, find_images


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_split_folders(tmp_path):
    write_folder(tmp_path, ["train/b/2.png", "train/a/1.JPG", "test/b/deep/3.webp"])
    paths, classes = find_images(tmp_path, "train")
    assert names(paths, tmp_path) == ["train/a/1.JPG", "train/b/2.png"] and classes == ["a", "b"]
    paths, classes = find_images(tmp_path, "test")
    assert names(paths, tmp_path) == ["test/b/deep/3.webp"] and classes == ["b"]
    assert class_folders(tmp_path) == ["a", "b"]


def test_what_is_no_image_is_left_alone(tmp_path):
    write_folder(tmp_path, [f"train/{i}.png" for i in range(2)])
    for name in ("train/Thumbs.db", "train/.hidden.png", "train/labels.txt", "notes.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "train/.cache").mkdir()
    (tmp_path / "train/.cache/a.png").write_text("")
    assert names(find_images(tmp_path, "train")[0], tmp_path) == ["train/0.png", "train/1.png"]


def test_a_tenth_is_held_out_for_good(tmp_path):
    write_folder(tmp_path, [f"{'cd'[i % 2]}/{i}.png" for i in range(95)])
    found = {split: find_images(tmp_path, split)[0] for split in ("train", "test")}
    splits = {split: names(paths, tmp_path) for split, paths in found.items()}
    assert len(splits["test"]) == 10 and len(splits["train"]) == 85
    assert not set(splits["test"]) & set(splits["train"])
    assert all(listed == sorted(listed) for listed in splits.values())
    assert splits["test"][:2] == ["c/36.png", "c/54.png"]  # the same on every machine, for ever
    write_folder(tmp_path, [f"e/{i}.png" for i in range(5)])
    again = names(find_images(tmp_path, "test")[0], tmp_path)
    assert len(set(again) & set(splits["test"])) >= 5, "five new images moved the test split"


def test_flat_folders_have_no_classes(tmp_path):
    write_folder(tmp_path, [f"{i}.png" for i in range(3)])
    assert find_images(tmp_path, "test")[1] is None and class_folders(tmp_path) is None
    assert len(find_images(tmp_path, "train")[0]) == 2


def test_mixed_folders_are_refused(tmp_path):
    write_folder(tmp_path, ["train/a/0.png", "train/1.png"])
    with pytest.raises(ValueError, match=r"all in class folders.*'1\.png' beside the folder 'a'"):
        find_images(tmp_path, "train")


def test_missing_or_empty_places_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`folder` must be.*nowhere"):
        find_images(tmp_path / "nowhere", "train")
    with pytest.raises(FileNotFoundError, match=r"no images for the test split.*\.png"):
        find_images(tmp_path, "test")
    write_folder(tmp_path, ["train/0.png"])
    with pytest.raises(FileNotFoundError, match="no folder .*test$"):
        find_images(tmp_path, "test")
    with pytest.raises(ValueError, match="`split` must be"):
        find_images(tmp_path, "validation")


def test_one_image_alone_has_no_train_split(tmp_path):
    write_folder(tmp_path, ["0.png"])
    with pytest.raises(FileNotFoundError, match="train split"):
        find_images(tmp_path, "train")
