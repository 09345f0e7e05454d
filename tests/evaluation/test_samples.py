import numpy as np
import pytest

from tests.evaluation.fakes import BlockMeans, FakeModel, TablePrior
from vqzoo.data import ArraySource
from vqzoo.evaluation.encoding import encode_source
from vqzoo.evaluation.samples import class_variances, draw_samples, sample_scores


class BrightnessJudge:
    """Sees class 1 in every image that is brighter than grey."""

    class_names = ["dark", "bright"]

    def predict(self, images):
        return (images.mean(axis=(1, 2, 3)) > 127).astype("int32")


def two_code_model():
    """Class 0 has codes 2 and 4, class 1 codes 10 and 14, each with probability 1/2."""
    probabilities = np.zeros((2, 6, 16))
    probabilities[0, :, [2, 4]] = probabilities[1, :, [10, 14]] = 0.5
    return FakeModel(BlockMeans(), TablePrior(probabilities, (2, 3)))


def test_scores_of_a_known_model():
    model = two_code_model()
    labels = np.arange(600) % 2
    images = model.decode(model.prior.sample(600, labels=labels, seed=1))
    half = ((images - 128.0) / 2 + 128).round().astype("uint8")  # a quarter of the variance
    source = ArraySource(half, labels)
    test = encode_source(model.autoencoder, ArraySource(images, labels))
    samples = draw_samples(model, 1000, seed=2)
    scores = sample_scores(samples, source, test, test, BrightnessJudge())
    assert scores["num_samples"] == 1000 and scores["class_agreement"] == 1.0
    assert scores["class_agreement_by_class"] == {"dark": 1.0, "bright": 1.0}
    assert scores["variance_ratio"] == pytest.approx(4, rel=0.1)
    # 2^6 maps of each class, all of them in 600 images: every one is a copy
    assert scores["nearest_training_map"] == scores["nearest_training_map_of_test"] == 0
    assert np.isnan(scores["nearest_training_map_ratio"])


def test_wrong_labels_and_lost_variety_show():
    model = two_code_model()
    model.prior.probabilities = model.prior.probabilities[::-1]  # draws the other class
    labels = np.arange(200) % 2
    codes = model.prior.sample(200, labels=1 - labels, seed=1)
    source = ArraySource(model.decode(codes), labels)
    test = encode_source(model.autoencoder, source)
    model.prior.probabilities = model.prior.probabilities.copy()
    model.prior.probabilities[..., 2] += model.prior.probabilities[..., 4]
    model.prior.probabilities[..., 4] = 0  # and knows one dark image only
    far = ArraySource(np.zeros((3, 4, 6, 1), "uint8"), [0, 0, 1])
    train = encode_source(model.autoencoder, far)
    samples = draw_samples(model, 100, seed=0)
    scores = sample_scores(samples, source, test, train, BrightnessJudge())
    assert scores["class_agreement"] == 0.0
    assert scores["variance_ratio_worst"] == 0.0
    assert scores["nearest_training_map_ratio"] == 1.0  # all six codes differ, in both


def test_what_cannot_be_known_is_left_out():
    model = two_code_model()
    source = ArraySource(np.zeros((4, 4, 6, 1), "uint8"))
    encoded = encode_source(model.autoencoder, source)
    scores = sample_scores(draw_samples(model, 4), source, encoded)
    assert scores == {"num_samples": 4}


def test_variances_equal_numpy_in_any_batches():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (30, 2, 3, 1)).astype("uint8")
    labels = np.array([0, 2] * 14 + [3, 0])
    batches = [(images[:11], labels[:11]), (images[11:], labels[11:])]
    found = class_variances(batches, 4)
    for label in (0, 2):
        expected = images[labels == label].astype(float).var(axis=0, ddof=1).mean()
        assert found[label] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(found[[1, 3]]).all()  # none, and one
