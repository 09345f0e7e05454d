import keras
import numpy as np
import pytest

from vqzoo.layers import GaussianBottleneck

FEATURES = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def new_layer(latent_dim=3, seed=1):
    """A built layer whose log-variances differ from 0."""
    keras.utils.set_random_seed(0)
    layer = GaussianBottleneck(latent_dim, seed=seed)
    layer.build((None, 5))
    layer.project.bias.assign(np.linspace(-1.5, 1.5, 2 * latent_dim))
    return layer


def numpy_posterior(layer):
    """Mean and log-variance of `FEATURES` in float64."""
    kernel, bias = (np.asarray(weight, "float64") for weight in layer.project.weights)
    return np.split(FEATURES.astype("float64") @ kernel + bias, 2, axis=-1)


def test_divergence_is_the_closed_form_and_that_of_tfp():
    tfp = pytest.importorskip("tensorflow_probability")
    layer = new_layer()
    layer(FEATURES)
    (loss,) = layer.losses
    mean, log_variance = numpy_posterior(layer)
    variance = np.exp(log_variance)
    nats = 0.5 * (mean**2 + variance - 1 - log_variance).sum(axis=-1)
    np.testing.assert_allclose(loss, nats.mean(), rtol=1e-5)
    normal = tfp.distributions.Normal
    each = tfp.distributions.kl_divergence(normal(mean, variance**0.5), normal(0.0 * mean, 1.0))
    np.testing.assert_allclose(loss, np.sum(each, axis=-1).mean(), rtol=1e-5)


def test_draws_have_the_moments_and_evaluation_draws_nothing():
    layer = new_layer()
    mean, log_variance = numpy_posterior(layer)
    drawn = np.stack([layer(FEATURES, training=True)["vectors"] for _ in range(2000)])
    deviation = np.exp(log_variance / 2)
    error = np.abs(drawn.mean(axis=0) - mean) / (deviation / 2000**0.5)
    assert error.max() < 4.5  # standard errors, the largest of 18: one seed in 8,000
    # a variance's standard error is its size times sqrt(2 / n)
    ratio = drawn.var(axis=0) / deviation**2
    np.testing.assert_allclose(ratio, 1, atol=4.5 * (2 / 2000) ** 0.5)
    outputs = layer(FEATURES)
    np.testing.assert_array_equal(outputs["vectors"], outputs["mean"])
    np.testing.assert_allclose(outputs["log_variance"], log_variance, rtol=1e-4, atol=1e-5)


def test_a_seed_decides_the_draws():
    first, again, other = (
        np.asarray(new_layer(seed=seed)(FEATURES, training=True)["vectors"]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_near_the_prior_no_digit_of_the_divergence_is_lost():
    layer = new_layer(latent_dim=1)
    layer.project.kernel.assign(np.zeros((5, 2)))
    layer.project.bias.assign([0.0, 1e-3])
    layer(FEATURES)
    # 1/2 (exp(v) - 1 - v) = v^2 / 4 + v^3 / 12 ...; float32 holds v^2 to 1e-4 of itself
    np.testing.assert_allclose(layer.losses[0], 1e-6 / 4 + 1e-9 / 12, rtol=1e-3)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="`latent_dim` must be an int"):
        GaussianBottleneck(0)
    with pytest.raises(ValueError, match=r"`features` must be floats of shape \(batch, ..., 5\)"):
        new_layer()(FEATURES[:, :4])
