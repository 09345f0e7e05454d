import numpy as np
import pytest
from keras import ops

from vqzoo.likelihoods import Bernoulli

LOGITS = np.random.default_rng(0).normal(scale=3, size=(5, 4)).astype("float32")
VALUES = np.random.default_rng(1).integers(0, 2, (5, 4))


def test_equals_definition():
    probability = 1 / (1 + np.exp(-LOGITS.astype("float64")))
    expected = np.log(np.where(VALUES == 1, probability, 1 - probability))
    np.testing.assert_allclose(Bernoulli().log_prob(VALUES, LOGITS), expected, rtol=1e-5)
    np.testing.assert_allclose(Bernoulli().mean(LOGITS), probability, rtol=1e-6)


def test_both_values_add_up_to_one_and_tails_are_exact():
    logits = np.array([-100.0, -20.0, 0.0, 20.0, 100.0], "float32")
    black, white = (ops.convert_to_numpy(Bernoulli().log_prob(v, logits)) for v in (0, 1))
    np.testing.assert_allclose(np.exp(black) + np.exp(white), 1, rtol=1e-6)
    np.testing.assert_allclose(white[:2], [-100, -20], rtol=1e-6)  # log p = logit, far below 0
    np.testing.assert_allclose(black[3:], [-20, -100], rtol=1e-6)


def test_distribution_and_samples_agree():
    pytest.importorskip("tensorflow_probability")
    distribution = Bernoulli().distribution(LOGITS)
    expected = distribution.log_prob(VALUES)
    np.testing.assert_allclose(Bernoulli().log_prob(VALUES, LOGITS), expected, rtol=1e-5)
    drawn = ops.convert_to_numpy(Bernoulli().sample(np.repeat(LOGITS[None], 4000, 0), seed=2))
    assert drawn.dtype == "int32" and set(np.unique(drawn)) == {0, 1}
    # a half is the largest standard deviation: five standard errors of the mean of 4000
    np.testing.assert_allclose(drawn.mean(axis=0), distribution.mean(), atol=5 * 0.5 / 4000**0.5)


def test_its_bits_are_not_those_of_grey_levels():
    assert Bernoulli().num_bins == 2 and Bernoulli().unit == "binary_pixel"
    assert Bernoulli.from_config(Bernoulli().get_config()).num_bins == 2
