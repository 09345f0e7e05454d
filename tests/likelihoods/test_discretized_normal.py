import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from tests.likelihoods.normal_reference import slow_log_mass
from vqzoo.likelihoods import DiscretizedNormal

MEANS = (-1e4, -300.3, -1.0, 0.0, 0.3, 20.25, 127.5, 127.9999, 254.5, 255.0, 256.1, 999.0, 1e4)
SCALES = (1e-3, 1e-2, 0.1, 0.5, 0.99, 1.0, 1.01, 3.3, 10.0, 15.9, 31.0, 100.0, 1e3, 1e4)
GRID = np.array(list(itertools.product(MEANS, SCALES)), "float32")


def all_log_probs(mean, scale, num_bins=256):
    values = np.arange(num_bins, dtype="int32")[:, None]
    return DiscretizedNormal(num_bins).log_prob(values, mean, scale)


def gradients_of_log_probs(mean, scale):
    """d sum(log p) / d mean, scale for every value: arrays `(256, pairs)`."""
    mean, scale = (np.broadcast_to(x, (256, len(mean))).copy() for x in (mean, scale))
    return gradients(all_log_probs, mean, scale)


def test_probabilities_sum_to_one():
    log_probs = ops.convert_to_numpy(all_log_probs(GRID[:, 0], GRID[:, 1])).astype("float64")
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("num_bins", [2, 16])
def test_probabilities_sum_to_one_for_other_numbers_of_bins(num_bins):
    log_probs = ops.convert_to_numpy(all_log_probs(GRID[:, 0], GRID[:, 1], num_bins))
    np.testing.assert_allclose(np.exp(log_probs.astype("float64")).sum(axis=0), 1, atol=1e-5)


def test_equals_quadrature():
    log_probs = ops.convert_to_numpy(all_log_probs(GRID[:, 0], GRID[:, 1]))
    values = (0, 1, 20, 127, 128, 200, 254, 255)
    expected = [[slow_log_mass(v, *map(float, pair)) for pair in GRID] for v in values]
    # float32 keeps a relative 1e-7 of log p; a probability near 1 keeps an absolute one
    np.testing.assert_allclose(log_probs[list(values)], expected, rtol=1e-6, atol=1e-6)


def test_reference_equals_the_error_function():
    for value, lower, upper in ((0, -np.inf, 0.5), (3, 2.5, 3.5), (255, 254.5, np.inf)):
        mass = (math.erf((upper - 2.2) / 50**0.5) - math.erf((lower - 2.2) / 50**0.5)) / 2
        if mass > 0:
            assert slow_log_mass(value, 2.2, 5.0) == pytest.approx(math.log(mass), rel=1e-12)


def test_log_probs_and_gradients_are_finite():
    assert np.isfinite(all_log_probs(GRID[:, 0], GRID[:, 1])).all()
    for gradient in gradients_of_log_probs(GRID[:, 0], GRID[:, 1]):
        assert np.isfinite(gradient).all()


def test_gradients_equal_finite_differences():
    rng = np.random.default_rng(0)
    pairs = GRID[rng.choice(len(GRID), 60, replace=False)]
    by_mean, by_scale = gradients_of_log_probs(pairs[:, 0], pairs[:, 1])
    for column, (mean, scale) in enumerate(pairs.astype("float64")):
        step = 1e-3 * scale
        for value in (0, 20, 128, 255):
            rises = [
                slow_log_mass(value, mean + up, scale + wider)
                - slow_log_mass(value, mean - up, scale - wider)
                for up, wider in ((step, 0), (0, step))
            ]
            expected = np.divide(rises, 2e-3)
            # times the scale: gradients by numbers of order one
            found = by_mean[value, column] * scale, by_scale[value, column] * scale
            where = f"{mean=}, {scale=}, {value=}"
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3, err_msg=where)


def test_parameters_are_broadcast_and_the_result_is_float32():
    images = np.zeros((2, 3, 4, 1), "uint8")
    mean = np.random.default_rng(0).normal(size=(2, 3, 4, 1))
    log_probs = DiscretizedNormal().log_prob(images, mean.astype("float16"), 2.0)
    assert log_probs.shape == (2, 3, 4, 1)
    assert keras.backend.standardize_dtype(log_probs.dtype) == "float32"


def test_distribution_agrees_and_samples_follow_it():
    tfp = pytest.importorskip("tensorflow_probability")
    mean, scale = np.array([[-3.0], [100.2], [300.0]], "float32"), np.array([0.4, 20.0], "float32")
    distribution = DiscretizedNormal().distribution(mean, scale)
    assert isinstance(distribution, tfp.distributions.Distribution)
    assert distribution.batch_shape == (3, 2)
    values = np.arange(256, dtype="float32")[:, None, None]
    log_probs = DiscretizedNormal().log_prob(values, mean, scale)
    np.testing.assert_array_equal(distribution.log_prob(values), log_probs)
    np.testing.assert_allclose(distribution.mean(), DiscretizedNormal().mean(mean, scale))
    # 4000 draws of standard deviation 20: the mean is within 5 standard errors
    drawn = distribution.sample(4000, seed=1).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), distribution.mean(), atol=5 * 20 / 4000**0.5)
    independent = tfp.distributions.Independent(distribution, 2)
    np.testing.assert_allclose(independent.log_prob(values[7]), np.sum(log_probs[7]), rtol=1e-6)


def test_samples_and_mean():
    mean, scale = np.repeat([-3.0, 100.2, 300.0], 4000).astype("float32"), 20.0
    likelihood = DiscretizedNormal()
    drawn = ops.convert_to_numpy(likelihood.sample(mean, scale, seed=3))
    assert drawn.dtype == "int32" and drawn.min() == 0 and drawn.max() == 255
    expected = likelihood.mean(np.array([-3.0, 100.2, 300.0], "float32"), np.float32(scale))
    slow = [
        sum(v * math.exp(slow_log_mass(v, m, 20.0)) for v in range(256)) for m in (-3, 100.2, 300)
    ]
    np.testing.assert_allclose(expected, slow, rtol=1e-5)
    np.testing.assert_allclose(drawn.reshape(3, -1).mean(axis=1), expected, atol=5 * 20 / 4000**0.5)


def test_config_round_trip():
    likelihood = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(DiscretizedNormal(16))
    )
    assert isinstance(likelihood, DiscretizedNormal) and likelihood.num_bins == 16


@pytest.mark.parametrize("num_bins", [1, 2.5])
def test_wrong_number_of_bins_is_an_error(num_bins):
    with pytest.raises(ValueError, match="`num_bins`"):
        DiscretizedNormal(num_bins)
