import keras
import numpy as np

from tests.gradients import gradients
from vqzoo.layers import DistanceLogits, FeatureLogits

FEATURES = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
CODEBOOK = np.random.default_rng(1).normal(size=(7, 4)).astype("float32")


def test_distance_logits_are_minus_the_euclidean_distances():
    logits = np.asarray(DistanceLogits()(FEATURES, CODEBOOK))
    assert logits.shape == (2, 3, 5, 7)
    for place in np.ndindex(2, 3, 5):
        for code in range(7):
            distance = np.linalg.norm(FEATURES[place] - CODEBOOK[code])
            # float32 of squares about 10, and the constant under the root
            assert abs(logits[place][code] + distance) < 1e-4 * distance + 1e-5


def test_the_nearest_code_has_the_largest_logit():
    nearest = np.linalg.norm(FEATURES[..., None, :] - CODEBOOK, axis=-1).argmin(axis=-1)
    logits = np.asarray(DistanceLogits()(FEATURES, CODEBOOK))
    np.testing.assert_array_equal(logits.argmax(axis=-1), nearest)


def test_gradients_are_finite_where_a_feature_is_a_code():
    features = CODEBOOK[None, None, :3]
    for gradient in gradients(DistanceLogits(), features, CODEBOOK):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() < 100


def test_feature_logits_are_the_features():
    assert FeatureLogits()(FEATURES, CODEBOOK) is FEATURES


def test_channels_that_they_need():
    assert FeatureLogits().channels(7, 4) == 7 and DistanceLogits().channels(7, 4) == 4


def test_both_are_saved_by_name():
    for kind in (FeatureLogits, DistanceLogits):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(kind()))
        assert type(again) is kind
