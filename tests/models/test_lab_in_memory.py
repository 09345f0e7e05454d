"""A discrete VAE as a `ZooModel`: fitted in memory, saved, its arguments exchanged."""

import keras
import numpy as np
import pytest

import vqzoo
from tests.models.tiny_lab import IMAGES, NETWORK, config, lab
from vqzoo import config as configs
from vqzoo.in_memory import training_codes
from vqzoo.zoo import build


def fresh(**changes):
    keras.utils.set_random_seed(0)
    return build(config(**changes))


def test_one_fit_trains_both_parts(tmp_path):
    model = fresh()
    before = [np.array(weight) for weight in model.prior.weights]
    first, second = model.fit(IMAGES, {"epochs": 2, "batch_size": 5, "verbose": 0})
    assert second is None and len(first.history["temperature"]) == 2
    moved = [(np.array(w) != b).any() for w, b in zip(model.prior.weights, before, strict=True)]
    assert sum(moved) > len(moved) / 2 and model.has_prior
    model.save(tmp_path / "saved")
    again = vqzoo.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.elbo(IMAGES), model.elbo(IMAGES))
    np.testing.assert_array_equal(again.sample(2, seed=1), model.sample(2, seed=1))


def test_the_one_fit_has_one_set_of_arguments():
    with pytest.raises(ValueError, match="`prior` must be None.*trained together"):
        fresh().fit(IMAGES, {"verbose": 0}, {"verbose": 0})


def test_the_one_fit_uses_the_optimizer_of_its_user():
    model = fresh()
    model.joint_training.compile(keras.optimizers.SGD(0.0))
    before = [np.array(weight) for weight in model.prior.weights]
    model.fit(IMAGES, {"epochs": 2, "verbose": 0})
    for old, weight in zip(before, model.prior.weights, strict=True):
        np.testing.assert_array_equal(old, weight)
    assert fresh(training="marginal").joint_training is None


@pytest.mark.parametrize("training", ["marginal", pytest.param("joint", marks=pytest.mark.slow)])
def test_a_scale_that_is_not_given_is_fitted_to_the_errors_of_draws(training):
    model = fresh(training=training, scale=None)
    model.fit(IMAGES, {"epochs": 2, "verbose": 0})
    _, draws, _ = model.autoencoder.posterior(IMAGES, 0, np.arange(10))
    mean = 127.5 * (1 + np.asarray(model.autoencoder.decoder_output(draws), "float64"))
    expected = np.sqrt(np.mean((IMAGES - mean) ** 2) + 1 / 12)  # where the density is highest
    assert float(model.autoencoder.likelihood_scale) == pytest.approx(expected, rel=1e-3)
    given = fresh(training=training, scale=12.0)
    given.fit(IMAGES, {"epochs": 1, "verbose": 0})
    assert float(given.autoencoder.likelihood_scale) == 12.0


def test_the_prior_is_fitted_to_draws_of_the_posterior():
    model = lab("categorical", training="marginal")
    codes = training_codes(model, [IMAGES[:6], IMAGES[6:]])["codes_0"]
    np.testing.assert_array_equal(codes, model.autoencoder.posterior(IMAGES, 0, np.arange(10))[1][0])
    assert (codes != model.encode(IMAGES)[0]).any(), "the posterior does not draw: an empty test"


@pytest.mark.parametrize("family", ["UniformPrior", "AutoregressivePrior"])
def test_an_entry_s_prior_stays_without_classes_when_it_is_exchanged(family):
    network = {"network": NETWORK} if family == "AutoregressivePrior" else {}
    entry = {"UniformPrior": "marginal", "AutoregressivePrior": "uniform"}[family]
    small = {"filters": 8, "residual_filters": 8, "num_residual_blocks": 1}
    model = vqzoo.create(
        f"dvae_categorical_{entry}_fashion_mnist",
        autoencoder=small,
        prior={"family": family, **network},
        training="joint",
    )
    assert model.prior.num_classes is None and model.joint_training is not None


def test_marginal_training_anneals_and_then_fits_the_prior():
    model = fresh(training="marginal")
    calls = []
    counter = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: calls.append(epoch))
    arguments = {"epochs": 2, "batch_size": 5, "verbose": 0, "callbacks": [counter]}
    first, second = model.fit(IMAGES, arguments, {"epochs": 1, "verbose": 0})
    assert calls == [0, 1] and first.history["temperature"][-1] < 0.2
    assert "bits_per_code" in second.history


@pytest.mark.parametrize("training", ["marginal", "joint"])
def test_the_three_arguments_are_exchanged_by_name(tmp_path, training):
    path = tmp_path / "lab.yaml"
    path.write_text(configs.dump(config("quantized", "uniform", "joint")))
    model = vqzoo.create(
        path,
        autoencoder={"posterior": "distance"},
        prior={"family": "AutoregressivePrior", "network": NETWORK},
        training=training,
    )
    assert model.autoencoder.get_config()["posterior"] == "distance"
    assert type(model.prior).__name__ == "AutoregressivePrior"
    assert ("joint" in model.config["training"]) == (training == "joint")


def test_the_bound_does_not_depend_on_the_batch():
    model = lab("categorical")
    np.testing.assert_allclose(
        model.elbo(IMAGES, batch_size=3), model.elbo(IMAGES, batch_size=10), rtol=1e-6
    )
