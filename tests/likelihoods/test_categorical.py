import itertools

import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from vqzoo.likelihoods import Categorical

LOGITS = np.random.default_rng(0).normal(scale=3, size=(2, 3, 4)).astype("float32")


def test_equals_definition():
    log_probs = ops.convert_to_numpy(Categorical(4).log_prob(np.full((2, 3), 2, "uint8"), LOGITS))
    for i, j in itertools.product(range(2), range(3)):
        exponentials = np.exp(LOGITS[i, j].astype("float64"))
        expected = np.log(exponentials[2] / exponentials.sum())
        assert log_probs[i, j] == pytest.approx(expected, rel=1e-6)


def test_probabilities_sum_to_one_and_gradients_are_finite_for_huge_logits():
    rng = np.random.default_rng(1)
    logits = rng.choice([-1e30, -1e4, 0.0, 1e4], size=(5, 256)).astype("float32")
    values = np.repeat(np.arange(256, dtype="int32")[:, None], 5, axis=1)

    def log_probs(logits):
        return Categorical().log_prob(values, ops.repeat(logits[None], 256, axis=0))

    found = ops.convert_to_numpy(log_probs(logits))
    np.testing.assert_allclose(np.exp(found).sum(axis=0), 1, atol=1e-5)
    assert np.isfinite(found).all() and np.isfinite(gradients(log_probs, logits)[0]).all()


def test_distribution_mean_and_samples_agree():
    pytest.importorskip("tensorflow_probability")
    likelihood, images = Categorical(4), np.full((2, 3), 1, "int32")
    distribution = likelihood.distribution(LOGITS)
    expected = likelihood.log_prob(images, LOGITS)
    np.testing.assert_allclose(distribution.log_prob(images), expected, rtol=1e-5, atol=1e-6)
    probabilities = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    mean = (probabilities * np.arange(4)).sum(-1)
    np.testing.assert_allclose(likelihood.mean(LOGITS), mean, rtol=1e-5)
    drawn = ops.convert_to_numpy(likelihood.sample(np.repeat(LOGITS[None], 4000, axis=0), seed=2))
    assert drawn.shape == (4000, 2, 3) and drawn.dtype == "int32"
    # at most 1.5 levels of standard deviation: 5 standard errors of the mean of 4000
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=5 * 1.5 / 4000**0.5)


def test_wrong_logits_are_an_error():
    with pytest.raises(ValueError, match="`logits` must end in an axis of 256"):
        Categorical().log_prob(np.zeros((2, 3), "int32"), LOGITS)
