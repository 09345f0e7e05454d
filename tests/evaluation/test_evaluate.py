import json
import math

import keras
import numpy as np
import pytest

from tests.integration.tiny_run import LEVELS
from tests.models.tiny_pixels import IMAGES, zoo_model

import vqzoo
from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.data import ArraySource
from vqzoo.evaluation import draw_pictures, evaluate
from vqzoo.evaluation.feature_networks import FeatureNetwork
from vqzoo.evaluation.simple_models import draw_markov_maps


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model  # 8 x 12 pixels, 2 x 3 codes of 16, three classes


class FirstClass:
    """A classifier that sees class 0 everywhere."""

    class_names, image_shape = ["boot", "bag", "coat"], (8, 12, 1)

    def predict(self, images):
        return np.zeros(len(images), "int32")


def source(num_images, seed, labels=True):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (num_images, 8, 12, 1)).astype("uint8")
    return ArraySource(images, np.arange(num_images) % 3 if labels else None)


def test_scores_are_those_of_the_model_itself(model):
    test, train = source(30, 0), source(40, 1)
    scores = evaluate(model, test, train, FirstClass(), num_samples=21, seed=3)
    assert json.loads(json.dumps(scores)) == scores
    weights = [np.size(weight) for weight in model.autoencoder.get_weights()]
    assert scores["size"]["autoencoder_parameters"] == sum(weights)
    assert scores["size"]["code_bits_per_image"] == 6 * 4  # six codes of sixteen
    assert scores["size"]["test_images"] == 30
    output = model.autoencoder(test.images, training=False)
    errors = keras.ops.convert_to_numpy(output).astype("float64") - (test.images / 127.5 - 1)
    assert scores["reconstruction"]["mse"] == pytest.approx(np.mean(errors**2), rel=1e-5)
    codes = model.encode(test.images)
    assert scores["codebook"]["codes_0"]["usage"] == len(np.unique(codes)) / 16
    nats = model.prior.log_prob(codes, test.labels).astype("float64")
    assert scores["codes"]["nats_per_code"] == pytest.approx(-nats.mean() / 6, rel=1e-5)
    elbo = model.elbo(test.images, test.labels).mean()
    assert scores["images"]["elbo_nats_per_image"] == pytest.approx(elbo, rel=1e-5)
    bits, kind = model.bits_per_dim(test.images, test.labels)
    assert scores["images"]["bits_per_dim"] == pytest.approx(bits.mean(), rel=1e-5)
    assert scores["images"]["kind"] == kind == "bound"
    parts = scores["images"]["prior_bits_per_dim"] + scores["images"]["decoder_bits_per_dim"]
    assert parts == pytest.approx(scores["images"]["bits_per_dim"])
    assert scores["images"]["prior_bits_per_dim"] == pytest.approx(
        scores["codes"]["bits_per_image"] / 96, rel=1e-6
    )
    assert scores["codes"]["uniform_bits_per_code"] == pytest.approx(4)
    assert scores["samples"]["class_agreement"] == pytest.approx(1 / 3)
    assert set(scores["samples"]) >= {"variance_ratio", "nearest_training_map_ratio"}
    assert scores["generalisation"]["train_images"] == 40
    nats = -model.prior.log_prob(model.encode(train.images), train.labels).mean() / 6
    ratio = scores["codes"]["nats_per_code"] / nats
    assert scores["generalisation"]["nats_per_code_ratio"] == pytest.approx(ratio, rel=1e-5)


def test_samples_are_those_of_the_public_call(model, monkeypatch):
    """What is scored is `model.sample` at temperature 1 under the same seed."""
    scored, decode = [], model.decode

    def recorded(codes):
        scored.append(decode(codes))
        return scored[-1]

    monkeypatch.setattr(model, "decode", recorded)
    evaluate(model, source(20, 0), num_samples=20, seed=3)
    found = np.concatenate(scored)
    monkeypatch.undo()
    expected = model.sample(20, labels=list(np.arange(20) % 3), seed=3)
    np.testing.assert_array_equal(found, expected)


def test_networks_compare_samples_with_test_images(model):
    """Those given; the classifier's own only where there are images enough."""
    network = FeatureNetwork("mean", (8, 12, 1), lambda pixels: (pixels.mean(axis=(1, 2)), None))
    scores = evaluate(model, source(30, 0), source(40, 1), num_samples=21, networks=[network])
    assert {"fid_mean", "fid_star_mean", "recall_mean_of_train"} < set(scores["samples"])
    without = evaluate(model, source(30, 0), num_samples=21)["samples"]
    assert not any("fid" in key for key in without)


def test_what_cannot_be_compared_is_said_before_anything_is_computed(model):
    network = FeatureNetwork("mean", (8, 12, 1), None)
    for images, samples in ((30, 9), (9, 30)):
        with pytest.raises(ValueError, match="`num_samples` must be 10 or more, and as many test"):
            evaluate(model, source(images, 0), num_samples=samples, networks=[network])
    judge = FirstClass()
    judge.class_names = ["a", "b", "c"]
    with pytest.raises(ValueError, match="`classifier` must know the classes"):
        evaluate(model, source(30, 0), classifier=judge)
    judge = FirstClass()
    judge.image_shape = (16, 24, 1)
    with pytest.raises(ValueError, match="`classifier` must see images of shape"):
        evaluate(model, source(30, 0), classifier=judge)


def test_samples_without_classes_are_compared_with_those_of_the_markov_model(tiny_yaml):
    model = vqzoo.create(tiny_yaml, data={"class_names": []})
    network = FeatureNetwork("mean", (8, 12, 1), lambda pixels: (pixels.mean(axis=(1, 2)), None))
    train = source(40, 1, labels=False)
    scores = evaluate(model, source(30, 0), train, num_samples=20, seed=5, networks=[network])
    maps = draw_markov_maps(model.encode(train.images)[0], 16, 20, seed=5)
    features = [network(images)[0] for images in (model.decode([maps]), source(30, 0).images)]
    (one, other), spread = [part.mean() for part in features], [part.std(ddof=1) for part in features]
    expected = (one - other) ** 2 + (spread[0] - spread[1]) ** 2  # of two normals in one dimension
    assert scores["samples"]["fid_mean_of_markov"] == pytest.approx(expected, rel=1e-3)


def test_scores_repeat(model):
    test = source(20, 0)
    assert evaluate(model, test, num_samples=20) == evaluate(model, test, num_samples=20)


def test_without_labels_or_samples(model):
    scores = evaluate(model, source(20, 0, labels=False), num_samples=0)
    assert "samples" not in scores and "bits_per_code_without_labels" not in scores["codes"]
    assert math.isfinite(scores["images"]["bits_per_dim"])


def test_pictures(model, tmp_path):
    paths = draw_pictures(model, source(12, 0), tmp_path, columns=3)
    assert [path.name for path in paths] == ["samples.png", "reconstructions.png", "usage.png"]
    assert all(path.stat().st_size > 100 for path in paths)


def test_empty_source_is_an_error(model):
    with pytest.raises(ValueError, match="`test` must hold at least one example"):
        evaluate(model, ArraySource(np.zeros((0, 8, 12, 1), "uint8")))


def test_several_levels_are_scored_one_by_one():
    model = zoo.build(configs.parse(LEVELS))
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype("uint8")
    scores = evaluate(model, ArraySource(images, [0, 1]), num_samples=0)
    assert set(scores["levels"]) == {"codes_0", "codes_1"}
    top, bottom = model.encode(images)
    output = model.autoencoder.decoder_output([top[::-1], bottom])
    errors = keras.ops.convert_to_numpy(output).astype("float64") - (images / 127.5 - 1)
    found = scores["levels"]["codes_0"]["mse_with_other"]
    assert found == pytest.approx(np.mean(errors**2), rel=1e-5)


def test_of_pixels_samples_are_compared_and_no_reconstructions():
    model = zoo_model(num_downsamplings=0)
    network = FeatureNetwork("mean", (4, 6, 3), lambda pixels: (pixels.mean(axis=(1, 2)), None))
    images = ArraySource(np.tile(IMAGES, (2, 1, 1, 1)))
    scores = evaluate(model, images, None, num_samples=20, networks=[network])
    assert set(scores) == {"size", "images", "samples"}
    assert scores["size"]["latent_numbers_per_image"] == 0
    assert scores["images"]["kind"] == "exact" and "likelihood_scale" not in scores["images"]
    assert scores["samples"]["fid_mean"] > 0
    assert not [key for key in scores["samples"] if "reconstructions" in key or "star" in key]
