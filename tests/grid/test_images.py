"""Which images a grid sees, by the name of a data set or a folder."""

import numpy as np
import pytest
from PIL import Image

from vqzoo import config as configs
from vqzoo.grid.images import feature_network, find_data

FASHION = configs.read_config("vqvae_fashion_mnist")["data"]


def write(folder, shape=(28, 28), names=("a.png", "b.png")):
    for name in names:
        path = folder / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros(shape, "uint8")).save(path)
    return folder


def test_a_data_set_of_the_zoo_is_neither_mirrored_nor_cropped():
    data, folder = find_data("cifar10")
    section = configs.read_config("vqvae_cifar10")["data"]
    assert section["flip"] and folder is None
    assert data == {key: value for key, value in section.items() if key != "flip"}
    assert "crop" not in find_data("imagenette/160px-v2")[0]


def test_a_folder_has_the_shape_of_its_first_image(tmp_path):
    data, folder = find_data(write(tmp_path / "mine", (12, 16, 3)))
    assert data == {"name": "mine", "class_names": None, "image_shape": [12, 16, 3]}
    assert folder == tmp_path / "mine" and feature_network(data) is None


def test_a_folder_with_the_classes_of_a_data_set_is_judged_by_its_classifier(tmp_path):
    names = [f"{name}/0.png" for name in FASHION["class_names"]]
    data, _ = find_data(write(tmp_path / "small", (20, 20), names))
    assert data["class_names"] == FASHION["class_names"] != sorted(FASHION["class_names"])
    assert (data["name"], data["image_shape"]) == ("fashion_mnist", [20, 20, 1])
    network = feature_network(data)
    assert network.name == "classifier_fashion_mnist"
    features, _ = network(np.zeros((2, 20, 20, 1), "uint8"))
    assert len(features) == 2


def test_other_classes_or_colours_are_of_no_data_set(tmp_path):
    names = [f"{name}/0.png" for name in FASHION["class_names"]]
    for name, shape, found in (("few", (28, 28), names[1:]), ("rgb", (28, 28, 3), names)):
        data, _ = find_data(write(tmp_path / name, shape, found))
        assert data["name"] == name and feature_network(data) is None


def test_wrong_data_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`data`.*did you mean 'cifar10'"):
        find_data("cifar100")
    with pytest.raises(ValueError, match=r"`data`.*divisible by 4.*a.png, 28 pixels high and 30"):
        find_data(write(tmp_path / "odd", (28, 30)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no images"):
        find_data(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match="`data`"):
        find_data(tmp_path / "file")
