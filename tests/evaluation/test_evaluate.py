import json
import math

import keras
import numpy as np
import pytest

from vqzoo import zoo
from vqzoo.data import ArraySource
from vqzoo.evaluation import draw_pictures, evaluate

NUM_CLASSES = 10


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    tiny = {"filters": 8, "residual_filters": 8, "num_embeddings": 16, "embedding_dim": 4}
    made = zoo.create(
        "vqvae_fashion_mnist", autoencoder=tiny, prior={"network": {"filters": 8, "num_layers": 2}}
    )
    made.autoencoder.likelihood_scale.assign(40.0)
    return made


def source(num_images, seed, labels=True):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (num_images, 28, 28, 1)).astype("uint8")
    return ArraySource(images, np.arange(num_images) % NUM_CLASSES if labels else None)


def test_scores_are_those_of_the_model_itself(model):
    test, train = source(30, 0), source(40, 1)
    scores = evaluate(model, test, train, num_samples=20, seed=3)
    assert json.loads(json.dumps(scores)) == scores
    output = model.autoencoder(test.images, training=False)
    errors = keras.ops.convert_to_numpy(output).astype("float64") - (test.images / 127.5 - 1)
    assert scores["reconstruction"]["mse"] == pytest.approx(np.mean(errors**2), rel=1e-5)
    codes = model.encode(test.images)
    assert scores["codebook"]["codes_0"]["usage"] == len(np.unique(codes)) / 16
    nats = model.prior.log_prob(codes, test.labels).astype("float64")
    assert scores["codes"]["nats_per_code"] == pytest.approx(-nats.mean() / 49, rel=1e-5)
    elbo = model.elbo(test.images, test.labels).mean()
    assert scores["images"]["elbo_nats_per_image"] == pytest.approx(elbo, rel=1e-5)
    bits, kind = model.bits_per_dim(test.images, test.labels)
    assert scores["images"]["bits_per_dim"] == pytest.approx(bits.mean(), rel=1e-5)
    assert scores["images"]["kind"] == kind == "bound"
    parts = scores["images"]["prior_bits_per_dim"] + scores["images"]["decoder_bits_per_dim"]
    assert parts == pytest.approx(scores["images"]["bits_per_dim"])
    assert scores["images"]["prior_bits_per_dim"] == pytest.approx(
        scores["codes"]["bits_per_image"] / 784, rel=1e-6
    )
    assert scores["codes"]["uniform_bits_per_code"] == pytest.approx(4)
    assert set(scores["samples"]) >= {"variance_ratio", "nearest_training_map_ratio"}


def test_samples_are_those_of_the_public_call(model, monkeypatch):
    """What is scored is `model.sample` at temperature 1 under the same seed."""
    test, scored, decode = source(20, 0), [], model.decode
    monkeypatch.setattr(model, "decode", lambda *a, **k: scored.append(decode(*a, **k)) or scored[-1])
    evaluate(model, test, num_samples=20, seed=3)
    found = np.concatenate(scored)
    expected = model.sample(20, labels=list(np.arange(20) % NUM_CLASSES), seed=3)
    np.testing.assert_array_equal(found, expected)


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
    with pytest.raises(ValueError, match="`test` and `train`"):
        evaluate(model, ArraySource(np.zeros((0, 28, 28, 1), "uint8")))
