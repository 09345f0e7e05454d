import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
from tests.data.image_files import picture

pytest.importorskip("tensorflow_datasets")

from vqzoo.data import open_source, tfds_source, training_batches, training_source

CONFIG = {
    "name": "tiny_shapes",
    "image_shape": [4, 6, 1],
    "splits": {"train": "train", "test": "test"},
    "class_names": ["even_number", "odd_number"],
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which TFDS has written both sets, and another with one as TFRecord."""
    # TFDS wants the classes of data sets in a module of no package, or one with data files.
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(pathlib.Path(__file__).parent)
        import tiny_shapes

    folders = {form: tmp_path_factory.mktemp(form) for form in ("array_record", "tfrecord")}
    for form, folder in folders.items():
        tiny_shapes.TinyShapes(data_dir=folder, file_format=form).download_and_prepare()
    photos = tiny_shapes.TinyPhotos(data_dir=folders["array_record"], file_format="array_record")
    photos.download_and_prepare()
    return folders


@pytest.fixture(autouse=True)
def data_dir(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared["array_record"]))


def numbers(source):
    """Returns which `picture` each image is."""
    known = {picture(number).tobytes(): number for number in [*range(10), *range(100, 104)]}
    return [known[example["image"].tobytes()] for example in source]


@pytest.mark.parametrize("limit", [2**30, 0])
def test_a_set_is_read_by_name(monkeypatch, limit):
    monkeypatch.setattr(tfds_source, "MEMORY_LIMIT", limit)
    for split, expected in (("train", range(10)), ("test", range(100, 104))):
        source = open_source(CONFIG, split)
        assert sorted(numbers(source)) == list(expected)  # TFDS shuffles what it writes
        assert source.class_names == CONFIG["class_names"] and source.skipped == 0
        for number, example in zip(numbers(source), source, strict=True):
            assert example["image"].dtype == np.uint8 and example["label"] == number % 2
        batch = source.take([2, 0])
        np.testing.assert_array_equal(batch["image"], [source[2]["image"], source[0]["image"]])
        assert batch["label"].tolist() == [source[2]["label"], source[0]["label"]]


def test_images_that_fit_are_decoded_once(monkeypatch):
    source = open_source(CONFIG, "train")
    first = source.take(range(10))
    monkeypatch.setattr(source, "_examples", [None] * 10)
    np.testing.assert_array_equal(source.take(range(10))["image"], first["image"])


def test_splits_may_be_parts():
    config = {**CONFIG, "splits": {"train": "train[:80%]", "test": "train[80%:]"}}
    train, test = (numbers(open_source(config, split)) for split in ("train", "test"))
    assert len(train) == 8 and sorted(train + test) == list(range(10))


def test_class_names_are_the_sets_own_or_as_many():
    own = {key: value for key, value in CONFIG.items() if key != "class_names"}
    assert open_source(own, "test").class_names == ["even", "odd"]
    with pytest.raises(ValueError, match="`class_names` must be the 2 classes.*Received: 3"):
        open_source({**CONFIG, "class_names": ["a", "b", "c"]}, "test")


def test_batches_of_a_set():
    source = open_source(CONFIG, "train")
    found = list(training_batches(source, 5, seed=0, steps=2))
    images = np.concatenate([images for images, _ in found])
    assert sorted(images.reshape(10, -1).tolist()) == sorted(
        picture(number).ravel().tolist() for number in range(10)
    )


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"tiny_shapes must be uint8 of shape \(8, 6, 1\).*--data"):
        open_source({**CONFIG, "image_shape": [8, 6, 1]}, "train")
    photos = {"name": "tiny_photos", "image_shape": [4, 6, 3]}
    source = open_source(photos, "train")  # the set states no size: each image is looked at
    assert not source.has_labels and set(source[0]) == {"image"}
    with pytest.raises(ValueError, match=r"tiny_photos: image \d must be .*\(4, 7, 3\)"):
        source.take(range(4))


def test_pictures_of_differing_size_are_cropped():
    photos = {"name": "tiny_photos", "image_shape": [4, 6, 3], "crop": [3, 5]}
    source = open_source(photos, "train")
    whole = {number: picture(number, (4, 6 + number // 3, 3)) for number in range(4)}
    known = {whole[number][:, :6].tobytes(): number for number in whole}  # of 7 columns the left 6
    numbers = [known[image.tobytes()] for image in source.take(range(4))["image"]]
    assert sorted(numbers) == [0, 1, 2, 3]
    crops = training_source(source, photos["crop"])
    for index, number in enumerate(numbers):
        left = (whole[number].shape[1] - 5) // 2
        np.testing.assert_array_equal(crops[index]["image"], whole[number][:3, left : left + 5])
    (batch,) = training_batches(crops, 8, seed=0, steps=1, labels=False)
    assert batch.shape == (8, 3, 5, 3)


def test_pictures_too_small_to_be_cropped_are_enlarged():
    photos = {"name": "tiny_photos", "image_shape": [8, 10, 3], "crop": [3, 5]}
    photos["splits"] = {"train": "train", "test": "train"}
    for split in ("train", "test"):
        source = open_source(photos, split)
        # 4 x 6 pixels and 4 x 7 become 8 x 12 and 8 x 14: twice as large, and no larger.
        assert {source.read(i)[0].shape for i in range(4)} == {(8, 12, 3), (8, 14, 3)}
        assert source.take(range(4))["image"].shape == (4, 8, 10, 3)


def test_a_missing_set_says_how_to_get_it_and_opens_no_socket(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    how = r"'{}' is not prepared in .*builder\('{}', file_format='array_record'\).*--data FOLDER"
    for name in ("fashion_mnist", "no_such_set"):
        with pytest.raises(FileNotFoundError, match=how.format(name, name)):
            open_source({**CONFIG, "name": name}, "train")


def test_a_set_without_random_access_says_what_to_do(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared["tfrecord"]))
    with pytest.raises(ValueError, match="prepared as tfrecord.*TFDS_DATA_DIR=NEW_FOLDER python"):
        open_source(CONFIG, "train")


def test_an_unknown_split_of_the_set_is_named():
    with pytest.raises(ValueError, match="Unknown split 'validation'"):
        open_source({**CONFIG, "splits": {"train": "validation"}}, "train")


def test_reading_needs_neither_the_sets_code_nor_tensorflow():
    code = f"""
import sys
from vqzoo.data import open_source
source = open_source({CONFIG!r}, "train")
print(len(source), source[0]["image"].shape, "tensorflow" in sys.modules)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "10 (4, 6, 1) False\n" and process.stderr == "", process.stderr
