import types

import numpy as np
import pytest

from tests.evaluation.fakes import BlockMeans, TablePrior
from vqzoo.data import ArraySource
from vqzoo.evaluation import generalisation
from vqzoo.evaluation.generalisation import generalisation_scores

CODES, CLASSES = 6, 2


def make_model():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(16), size=(CLASSES, CODES))
    return types.SimpleNamespace(
        autoencoder=BlockMeans(), prior=TablePrior(probabilities, (2, 3)), has_prior=True
    )


def pictures(count):
    images = np.random.default_rng(1).integers(0, 256, (count, 4, 6, 1)).astype("uint8")
    return ArraySource(images, np.arange(count) % CLASSES)


def test_train_scores_and_gaps_equal_definition(monkeypatch):
    monkeypatch.setattr(generalisation, "TRAIN_IMAGES", 40)
    model, train = make_model(), pictures(100)
    test = {"reconstruction": {"mse": 0.5}, "codes": {"nats_per_code": 3.0}}
    scores = generalisation_scores(model, train, test, seed=4)
    chosen = np.random.default_rng(4).permutation(100)[:40]
    images, labels = train.images[chosen], (chosen % CLASSES).astype("int32")
    blocks = np.kron(images[:, ::2, ::2, 0] // 16 * 16.0 + 8, np.ones((1, 2, 2)))[..., None]
    mse = np.mean(((blocks - images) / 127.5) ** 2)
    nats = -model.prior.log_prob(model.autoencoder.encode(images), labels).mean() / CODES
    assert scores == {
        "train_images": 40,
        "train_mse": pytest.approx(mse, rel=1e-5),
        "mse_gap": pytest.approx(0.5 - mse, rel=1e-5),
        "train_nats_per_code": pytest.approx(nats, rel=1e-5),
        "nats_per_code_gap": pytest.approx(3 - nats, rel=1e-4),
        "nats_per_code_ratio": pytest.approx(3 / nats, rel=1e-5),
    }


def test_a_tokenizer_alone_has_an_error_alone():
    scores = generalisation_scores(make_model(), pictures(10), {"reconstruction": {"mse": 0.5}})
    assert set(scores) == {"train_images", "train_mse", "mse_gap"} and scores["train_images"] == 10
