import subprocess
import sys

import pytest

from vqzoo.data import open_source


def test_a_config_without_name_needs_a_folder():
    with pytest.raises(ValueError, match="`folder` must be a folder of images.*--data"):
        open_source({"image_shape": [4, 6, 1]}, "train")


def test_an_unknown_split_is_named():
    config = {"name": "x", "image_shape": [4, 6, 1], "splits": {"train": "train[:9]"}}
    with pytest.raises(ValueError, match=r"`split` must be one of \"train\".*'test'"):
        open_source(config, "test")


def test_a_data_set_by_name_without_tfds_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(FileNotFoundError, match="'x' needs .* tensorflow-datasets.*--data FOLDER"):
        open_source({"name": "x", "image_shape": [4, 6, 1]}, "train")


def test_importing_data_imports_nothing_heavy(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    heavy = "{'tensorflow', 'tensorflow_datasets', 'keras', 'grain', 'jax', 'PIL'}"
    code = f"import sys, vqzoo.data; print(sorted({heavy} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "[]\n", process.stdout + process.stderr
