"""Which images a run sees, given one folder or several."""

import numpy as np
import pytest
from tests.data.image_files import picture, write_folder, write_picture

from vqzoo.training.run_images import checked_folders, open_images, with_class_names

CONFIG = {"data": {"image_shape": [4, 6, 1]}}


@pytest.fixture
def folders(tmp_path):
    """Two flat folders: pictures 0 .. 5 and a test picture; pictures 20 .. 22 and one more."""
    write_folder(tmp_path / "a", [f"train/{i}.png" for i in range(6)] + ["test/6.png"])
    for i in range(20, 23):
        write_picture(tmp_path / f"b/train/{i}.png", picture(i))
    write_picture(tmp_path / "b/test/23.png", picture(23))
    return [tmp_path / "a", tmp_path / "b"]


def numbers(source):
    known = {picture(i).tobytes(): i for i in range(24)}
    return [known[example["image"].tobytes()] for example in source]


def test_the_test_images_are_those_of_the_first_folder(folders):
    images = open_images(CONFIG["data"], folders, None, False, False)
    assert numbers(images["train"]) == [0, 1, 2, 3, 4, 5, 20, 21, 22]
    assert numbers(images["test"]) == [6]
    images = open_images(CONFIG["data"], folders[::-1], None, False, False)
    assert numbers(images["test"]) == [23]


def test_few_images_are_few_of_each_folder(folders):
    images = open_images(CONFIG["data"], folders, 2, False, False)
    assert numbers(images["train"]) == [0, 3, 20, 21]


def test_one_folder_needs_no_list(folders):
    assert checked_folders(folders[0]) == checked_folders([folders[0]]) == [folders[0]]
    assert checked_folders(None) == [None] and with_class_names(CONFIG, [None]) == CONFIG
    for wrong in ([], [None], 3, [folders[0], ""]):
        with pytest.raises(ValueError, match="`data` must be"):
            checked_folders(wrong)


def test_classes_must_be_those_of_the_first_folder(tmp_path):
    write_folder(tmp_path / "a", ["train/ant/0.png", "train/bee/1.png", "test/bee/2.png"])
    write_folder(tmp_path / "b", ["train/bee/3.png", "train/bee/4.png"])
    write_folder(tmp_path / "c", ["train/cow/3.png"])
    write_folder(tmp_path / "flat", ["train/3.png", "test/4.png"])
    config = with_class_names(CONFIG, [tmp_path / "a", tmp_path / "b"])
    assert config["data"]["class_names"] == ["ant", "bee"]
    train = open_images(
        config["data"], [tmp_path / "a", tmp_path / "b"], None, False, False
    )["train"]
    np.testing.assert_array_equal(train.take(range(4))["label"], [0, 1, 1, 1])
    for other in ("c", "flat"):
        with pytest.raises(ValueError, match=r"\['ant', 'bee'\].*(cow|flat)"):
            open_images(config["data"], [tmp_path / "a", tmp_path / other], None, False, False)
    with pytest.raises(ValueError, match=r"None in .*flat, \['ant', 'bee'\] in"):
        open_images(CONFIG["data"], [tmp_path / "flat", tmp_path / "a"], None, False, False)
