import math

import keras
import numpy as np
import pytest

from vqzoo.likelihoods import DequantizedNormal, DiscretizedNormal

LEVELS = np.array([0, 3, 100, 254, 255])
MEANS = np.array([0.5, 2.0, 130.0, 254.0, 240.0], "float32")


@pytest.mark.parametrize("scale", [0.3, 2.0, 40.0])
def test_is_the_mean_log_density_over_the_noise(scale):
    # Midpoints of 2,000 intervals integrate a parabola to 1e-7 of its curvature.
    noise = (np.arange(2000) + 0.5) / 2000
    offsets = LEVELS[:, None] + noise - (MEANS[:, None].astype("float64") + 0.5)
    logs = -0.5 * (offsets / scale) ** 2 - math.log(scale) - 0.5 * math.log(2 * math.pi)
    found = DequantizedNormal().log_prob(LEVELS, MEANS, scale)
    np.testing.assert_allclose(found, logs.mean(axis=1), rtol=1e-5, atol=1e-6)


def test_equation_9_in_its_own_units():
    # Pixels v / 256 + U(0, 1/256), log2 of the density there, minus log2 of a = 1/256.
    rng, scale = np.random.default_rng(0), 7.0
    pixels = (LEVELS + rng.random((200_000, 5))) / 256
    means, width = (MEANS.astype("float64") + 0.5) / 256, scale / 256
    log2 = (-0.5 * ((pixels - means) / width) ** 2) / math.log(2)
    log2 -= math.log2(width * math.sqrt(2 * math.pi))
    bits = -log2.mean(axis=0) - math.log2(1 / 256)
    found = -np.asarray(DequantizedNormal().log_prob(LEVELS, MEANS, scale)) / math.log(2)
    # Five standard errors of the mean over 200,000 draws; the largest spread is of 255.
    error = 5 * log2.std(axis=0) / math.sqrt(len(log2))
    assert (np.abs(found - bits) < error + 1e-5).all()


@pytest.mark.parametrize("scale", [0.3, 2.0, 40.0])
def test_is_below_the_mass_of_the_bin(scale):
    middle = np.arange(1, 255)  # where bins have no tails
    mean = np.full(254, 100.0, "float32")
    masses = np.asarray(DiscretizedNormal().log_prob(middle, mean, scale))
    # Float32: a part in a million of values up to several thousand.
    assert (np.asarray(DequantizedNormal().log_prob(middle, mean, scale)) <= masses + 0.01).all()


def test_distribution_is_the_density_of_noisy_levels():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("distributions need TensorFlow")
    density = DequantizedNormal().distribution(MEANS, 5.0)
    noise = (np.arange(2000)[:, None] + 0.5) / 2000
    logs = np.asarray(density.log_prob((LEVELS + noise).astype("float32")))
    found = DequantizedNormal().log_prob(LEVELS, MEANS, 5.0)
    np.testing.assert_allclose(found, logs.mean(axis=0), rtol=1e-4)


def test_samples_are_grey_levels_around_the_mean():
    mean = np.full((20_000,), 100.25, "float32")
    drawn = np.asarray(DequantizedNormal().sample(mean, 4.0, seed=0))
    assert drawn.dtype == np.int32
    # Four standard errors: 4 / sqrt(20,000) is 0.028; the variance gains 1/12 by rounding.
    assert abs(drawn.mean() - 100.25) < 0.12
    assert drawn.var() == pytest.approx(16 + 1 / 12, rel=0.04)
    assert np.asarray(DequantizedNormal().sample(np.full(9, 300.0), 1.0, seed=0)).max() == 255


def test_mean_is_the_mean():
    np.testing.assert_array_equal(DequantizedNormal().mean(MEANS, 3.0), MEANS)
