"""Fixtures that tests of several parts share: one tiny model, built once."""

import os
import pathlib

import numpy as np
import pytest

# As in a process of the command line: TensorFlow tells of optimisations of a graph that it skips.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TINY = """\
data:
  name: fashion_mnist
  image_shape: [8, 12, 1]
  class_names: [boot, bag, coat]
autoencoder: {family: VQVAE, num_embeddings: 16, embedding_dim: 4, filters: 8, residual_filters: 4}
prior:
  family: AutoregressivePrior
  network: {family: GatedPixelCNN, filters: 8, num_layers: 2, head_filters: 16}
training:
  autoencoder: {learning_rate: 1.0e-3, batch_size: 4, steps: 2, seed: 0}
  prior: {learning_rate: 1.0e-3, batch_size: 4, steps: 2, seed: 1}
smoke:
  autoencoder: {filters: 4}
"""
"""A configuration whose images are 8 x 12 pixels and whose codes are 2 x 3, of three classes."""


@pytest.fixture(scope="session")
def tiny_yaml(tmp_path_factory):
    """Path of the tiny configuration."""
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def tiny_folder(tiny_yaml):
    """Folder of a saved tiny `ZooModel`; not to be changed. Its codebook spreads over the data."""
    import keras

    import vqzoo

    keras.utils.set_random_seed(0)
    model = vqzoo.create(tiny_yaml, autoencoder={"codebook_init": "sample"})
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 12, 1), dtype="uint8")
    model.fit((images, np.arange(32) % 3), {"epochs": 2, "verbose": 0}, {"verbose": 0})
    folder = pathlib.Path(tiny_yaml).parent / "saved"
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    """The tiny `ZooModel`, loaded; not to be changed."""
    import vqzoo

    return vqzoo.load(tiny_folder)


@pytest.fixture(scope="session")
def tiny_images():
    """Six images for the tiny model, uint8 `(6, 8, 12, 1)`."""
    return np.random.default_rng(1).integers(0, 256, (6, 8, 12, 1), dtype="uint8")


@pytest.fixture
def policy(request):
    """Sets a dtype policy, the parameter, for one test."""
    import keras

    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")
