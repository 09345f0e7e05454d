"""An exported discrete VAE answers as Python does, with a prior of several resolutions."""

import numpy as np
import pytest
import tensorflow as tf

from tests.models.tiny_lab import IMAGES, lab

SEEDS = np.array([5, 2**32 - 1, 5])


@pytest.fixture(scope="module")
def model():
    return lab("categorical", "plus_plus")


@pytest.fixture(scope="module")
def signatures(model, tmp_path_factory):
    exported = model.export(tmp_path_factory.mktemp("served") / "lab")
    return tf.saved_model.load(str(exported)).signatures


def test_codes_and_images_are_those_of_python(model, signatures):
    (codes,) = model.encode(IMAGES)
    np.testing.assert_array_equal(signatures["encode"](images=IMAGES)["codes_0"], codes)
    assert len(np.unique(codes)) > 2, "all codes alike: an empty test"
    decoded = signatures["decode"](codes_0=tf.constant(codes))["images"]
    np.testing.assert_array_equal(decoded, model.reconstruct(IMAGES))


def test_samples_are_those_of_python(model, signatures):
    temperature = tf.constant([1.0, 0.7, 1.0])
    found = signatures["sample"](seed=tf.constant(SEEDS), temperature=temperature)["images"]
    expected = [
        model.sample(1, seed=int(seed), temperature=float(heat))[0]
        for seed, heat in zip(SEEDS, temperature, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)
    assert (expected[0] != expected[1]).any(), "seeds change nothing: an empty test"
