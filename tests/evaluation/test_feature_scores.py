import numpy as np
import pytest

from vqzoo.data import ArraySource, eval_batches
from vqzoo.evaluation import feature_scores
from vqzoo.evaluation.frechet import frechet_distance
from vqzoo.evaluation.feature_networks import FeatureNetwork
from vqzoo.evaluation.encoding import EncodedSource
from vqzoo.evaluation.feature_scores import collect, compare, feature_scores as scores_of


def two_numbers(pixels):
    """Mean and first pixel; and how dark and bright an image is, as probabilities."""
    bright = pixels.mean(axis=(1, 2, 3)) / 255
    features = np.stack([bright, pixels[:, 0, 0, 0] / 255], axis=1)
    return features, np.stack([1 - bright, bright], axis=1)


NETWORK = FeatureNetwork("two", (4, 4, 1), two_numbers)


def pictures(count, seed, levels=256):
    images = np.random.default_rng(seed).integers(0, levels, (count, 4, 4, 1))
    return ArraySource(images.astype("uint8"))


def seen(source, batch_size=64, seed=0):
    return collect(NETWORK, eval_batches(source, batch_size), len(source), seed)


def test_moments_are_of_all_and_rows_of_some_in_random_order(monkeypatch):
    monkeypatch.setattr(feature_scores, "MOST", 20)
    source = pictures(100, 0)
    every, probabilities = two_numbers(source.images.astype("float32"))
    found = seen(source, batch_size=7, seed=3)
    assert found.moments.count == 100
    np.testing.assert_allclose(found.moments.covariance(), np.cov(every.T), rtol=1e-5)
    order = np.random.default_rng(3).permutation(100)[:20]
    assert (np.diff(order) < 0).any()  # not sorted
    np.testing.assert_allclose(found.features, every[order], rtol=1e-6)
    np.testing.assert_allclose(found.probabilities, probabilities[order], rtol=1e-6)
    for batch_size in (1, 100):
        again = seen(source, batch_size, seed=3)
        np.testing.assert_array_equal(again.features, found.features)


def test_like_beside_like_and_beside_darker():
    reference = seen(pictures(400, 1))
    samples = seen(pictures(300, 2)), seen(pictures(300, 2, levels=9))
    like, darker = (compare("two", each, reference) for each in samples)
    names = {"fid_two", "kid_two", "kid_two_error", "mmd_two", "precision_two", "recall_two",
             "inception_score_two"}  # fmt: skip
    assert set(like) == names
    assert like["fid_two"] < 0.001 < 0.4 < darker["fid_two"]
    assert abs(like["kid_two"]) < 0.01 < 0.9 < darker["kid_two"]
    assert 0 < like["kid_two_error"] < 0.01
    assert like["mmd_two"] < 0.02 < 0.5 < darker["mmd_two"]
    assert min(like["precision_two"], like["recall_two"]) > 0.9
    assert darker["precision_two"] == darker["recall_two"] == 0
    assert 1 <= like["inception_score_two"] <= 2


class Darkener:
    """A model whose latents are images, which it decodes to half their brightness."""

    def __init__(self, image_shape):
        self.autoencoder, self.image_shape = self, image_shape

    def decode(self, latents):
        return latents[0] // 2


def test_what_reconstructions_and_training_images_score():
    test, train, images = pictures(300, 1), pictures(500, 2), pictures(200, 3).images
    encoded = EncodedSource([test.images], None)
    scores = scores_of(NETWORK, Darkener(test.image_shape), images, test, encoded, train)
    darker = seen(ArraySource(test.images // 2)).moments
    ours, real = seen(ArraySource(images)), seen(test)
    assert scores["fid_two"] == pytest.approx(frechet_distance(ours.moments, real.moments))
    assert scores["fid_star_two"] == pytest.approx(frechet_distance(ours.moments, darker))
    expected = frechet_distance(darker, real.moments)
    assert scores["fid_two_of_reconstructions"] == pytest.approx(expected)
    assert scores["fid_two"] < 0.01 < 0.05 < scores["fid_star_two"]
    assert scores["fid_two_of_train"] < 0.01 and scores["recall_two_of_train"] > 0.9
    order = np.random.default_rng(0).permutation(500)[:200]
    chosen = ArraySource(train.images[np.sort(order)])
    floor = frechet_distance(seen(chosen).moments, real.moments)
    assert scores["fid_two_of_train"] == pytest.approx(floor)
    without = scores_of(NETWORK, Darkener(test.image_shape), images, test, encoded)
    assert without == {key: scores[key] for key in scores if not key.endswith("of_train")}


def test_no_probabilities_no_inception_score():
    network = FeatureNetwork("one", (4, 4, 1), lambda pixels: (two_numbers(pixels)[0], None))
    found = collect(network, eval_batches(pictures(50, 0), 16), 50)
    assert found.probabilities is None
    assert "inception_score_one" not in compare("one", found, found)
    assert compare("one", found, found)["fid_one"] == pytest.approx(0, abs=1e-9)
