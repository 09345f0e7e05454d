"""An export of several levels answers as Python does."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.tiny_zoo import CLASSES, random_images
from tests.tiny_levels import tiny_levels

IMAGES = random_images(3, (8, 16, 3), seed=3)
SEEDS, LABELS = np.array([5, 2**32 - 1, 5]), np.array([0, 2, 1], "int32")


@pytest.fixture(scope="module")
def model():
    return tiny_levels(CLASSES)


@pytest.fixture(scope="module")
def signatures(model, tmp_path_factory):
    exported = model.export(tmp_path_factory.mktemp("served") / "levels")
    return tf.saved_model.load(str(exported)).signatures


def test_every_level_has_a_name_and_the_same_codes(model, signatures):
    codes = model.encode(IMAGES)
    assert [level.shape for level in codes] == [(3, 2, 4), (3, 4, 8)]
    answer = signatures["encode"](images=tf.constant(IMAGES))
    named = {f"codes_{i}": level for i, level in enumerate(codes)}
    assert answer.keys() == named.keys()
    for name, level in named.items():
        np.testing.assert_array_equal(answer[name], level)
        assert len(np.unique(level)) > 2, "all codes alike: an empty test"
    decoded = signatures["decode"](**{name: tf.constant(level) for name, level in named.items()})
    np.testing.assert_array_equal(decoded["images"], model.reconstruct(IMAGES))


def test_samples_are_drawn_coarse_to_fine_as_in_python(model, signatures):
    temperatures = np.array([1.0, 0.7, 1.0], "float32")
    rows = {"seed": SEEDS, "labels": LABELS, "temperature": temperatures}
    found = signatures["sample"](**{name: tf.constant(row) for name, row in rows.items()})
    expected = [
        model.sample(1, int(label), int(seed), temperature=float(temperature))[0]
        for seed, label, temperature in zip(SEEDS, LABELS, temperatures)
    ]
    np.testing.assert_array_equal(found["images"], expected)
    assert (expected[0] != expected[2]).any(), "labels change nothing: an empty test"


def test_codes_out_of_a_level_s_range_are_refused_by_its_name(model, signatures):
    codes = [tf.constant(level) for level in model.encode(IMAGES)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="`codes_1` must be in 0..11"):
        signatures["decode"](codes_0=codes[0], codes_1=codes[1] + 12)
