import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from tests.likelihoods.logistic_reference import slow_log_mass
from vqzoo.likelihoods import DiscretizedLogistic

MEANS = (-1e4, -300.3, -1.0, 0.0, 0.3, 20.25, 127.5, 127.9999, 254.5, 255.0, 256.1, 999.0, 1e4)
SCALES = (1e-3, 1e-2, 0.1, 0.5, 0.99, 1.0, 1.01, 3.3, 10.0, 15.9, 31.0, 100.0, 1e3, 1e4)
GRID = np.array(list(itertools.product(MEANS, SCALES)), "float32")
VALUES = (0, 1, 20, 127, 128, 200, 254, 255)
KINDS = {"half": (-0.5, True), "left": (0.0, False)}
"""Where the bin of level 0 begins and whether there are tails, by the name of the edges."""


def all_log_probs(likelihood, mean=GRID[:, 0], scale=GRID[:, 1]):
    values = np.arange(likelihood.num_bins, dtype="int32")[:, None]
    return ops.convert_to_numpy(likelihood.log_prob(values, mean, scale)).astype("float64")


def gradients_of_log_probs(likelihood, mean, scale):
    """d sum(log p) / d mean, scale for every value of 256: arrays `(256, pairs)`."""
    mean, scale = (np.broadcast_to(x, (256, len(mean))).copy() for x in (mean, scale))
    values = np.arange(256, dtype="int32")[:, None]
    return gradients(lambda *pair: likelihood.log_prob(values, *pair), mean, scale)


@pytest.mark.parametrize("edges, saturate", list(itertools.product(KINDS, (None, False, True))))
def test_equals_sixty_digits(edges, saturate):
    found = all_log_probs(DiscretizedLogistic(256, edges, saturate))[list(VALUES)]
    start, default = KINDS[edges]
    tails = default if saturate is None else saturate
    expected = [[slow_log_mass(v, *map(float, p), 256, start, tails) for p in GRID] for v in VALUES]
    # About ten roundings of 6e-8 each, of numbers within a factor of 3 of the result; nothing
    # absolute but what float32 cannot hold at all: log p = -1e-22 is right to its digits, too.
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-37)


@pytest.mark.parametrize("num_bins", [2, 16, 256])
def test_probabilities_sum_to_one(num_bins):
    masses = np.exp(all_log_probs(DiscretizedLogistic(num_bins)))
    np.testing.assert_allclose(masses.sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("num_bins", [2, 16, 256])
def test_left_edges_leave_out_the_tails(num_bins):
    mean, scale = GRID.astype("float64").T
    masses = np.exp(all_log_probs(DiscretizedLogistic(num_bins, "left"), mean, scale))
    # sigmoid(x) = (1 + tanh(x / 2)) / 2
    inside = (np.tanh(mean / scale / 2) - np.tanh((mean - num_bins) / scale / 2)) / 2
    np.testing.assert_allclose(masses.sum(axis=0), inside, atol=1e-5)
    # by hand: mean 2 and scale 8 keep 0.56 of the mass
    one = np.exp(all_log_probs(DiscretizedLogistic(256, "left"), np.float32([2]), np.float32([8])))
    assert one.sum() == pytest.approx(0.562, abs=1e-3)
    with_tails = all_log_probs(DiscretizedLogistic(num_bins, "left", True), mean, scale)
    np.testing.assert_allclose(np.exp(with_tails).sum(axis=0), 1, atol=1e-5)
    without = all_log_probs(DiscretizedLogistic(num_bins, "left"), mean, scale)
    assert (without <= with_tails).all()  # a bound from below


@pytest.mark.parametrize("num_bins", [2, 8, 32, 128])
def test_coarse_bins_merge_fine_ones(num_bins):
    width = 256 // num_bins
    fine = np.exp(all_log_probs(DiscretizedLogistic(256, "left"))).reshape(num_bins, width, -1)
    pair = GRID[:, 0] / width, GRID[:, 1] / width
    coarse = all_log_probs(DiscretizedLogistic(num_bins, "left"), *pair)
    np.testing.assert_allclose(np.exp(coarse), fine.sum(axis=1), rtol=2e-5, atol=1e-30)


def test_half_a_level_lies_between_the_conventions():
    mean, scale = np.round(4 * GRID[:, 0]) / 4, GRID[:, 1]  # adding a half rounds nothing away
    left = all_log_probs(DiscretizedLogistic(256, "left", True), mean + 0.5, scale)
    np.testing.assert_allclose(left, all_log_probs(DiscretizedLogistic(), mean, scale), rtol=1e-6)


@pytest.mark.parametrize("edges", KINDS)
def test_log_probs_and_gradients_are_finite(edges):
    likelihood = DiscretizedLogistic(256, edges)
    assert np.isfinite(all_log_probs(likelihood)).all()
    for gradient in gradients_of_log_probs(likelihood, GRID[:, 0], GRID[:, 1]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("edges", KINDS)
def test_gradients_equal_finite_differences(edges):
    pairs = GRID[np.random.default_rng(0).choice(len(GRID), 60, replace=False)]
    found = gradients_of_log_probs(DiscretizedLogistic(256, edges), pairs[:, 0], pairs[:, 1])
    for column, (mean, scale) in enumerate(pairs.astype("float64")):
        step = 1e-4 * scale
        for value, (which, up, wider) in itertools.product(
            (0, 20, 128, 255), ((0, step, 0), (1, 0, step))
        ):
            ends = [
                slow_log_mass(value, mean + sign * up, scale + sign * wider, 256, *KINDS[edges])
                for sign in (1, -1)
            ]
            # times the scale: gradients by numbers of order one
            where = f"{mean=}, {scale=}, {value=}, {which=}"
            np.testing.assert_allclose(
                found[which][value, column] * scale, (ends[0] - ends[1]) / 2e-4,
                rtol=1e-4, atol=1e-4, err_msg=where,
            )  # fmt: skip


def test_parameters_are_broadcast_and_the_result_is_float32():
    mean = np.random.default_rng(0).normal(size=(2, 3, 4, 1)).astype("float16")
    log_probs = DiscretizedLogistic().log_prob(np.zeros((2, 3, 4, 1), "uint8"), mean, 2.0)
    assert log_probs.shape == (2, 3, 4, 1)
    assert keras.backend.standardize_dtype(log_probs.dtype) == "float32"


@pytest.mark.parametrize("edges", KINDS)
def test_draw_inverts_the_distribution_function(edges):
    likelihood = DiscretizedLogistic(16, edges, True)
    mean, scale = np.float32([-1.0, 3.3, 7.5, 14.0, 40.0]), np.float32(2.0)
    passed = np.cumsum(np.exp(all_log_probs(likelihood, mean, scale)), axis=0)
    uniform = (np.arange(2000, dtype="float32")[:, None] + 0.5) / 2000
    drawn = ops.convert_to_numpy(likelihood.draw(mean, scale, uniform))
    expected = (passed[None] <= uniform[:, None]).sum(axis=1)
    near = np.abs(passed[None] - uniform[:, None]).min(axis=1) < 1e-5  # float32 may round across
    assert drawn.dtype == "int32" and near.mean() < 0.01
    np.testing.assert_array_equal(drawn[~near], expected[~near])


@pytest.mark.parametrize("edges", KINDS)
def test_samples_and_mean(edges):
    likelihood, scale = DiscretizedLogistic(256, edges), np.float32(20.0)
    mean = np.float32([-3.0, 100.2, 300.0])
    masses = np.exp(all_log_probs(DiscretizedLogistic(256, edges, True), mean, scale))
    expected = masses.T @ np.arange(256)
    np.testing.assert_allclose(likelihood.mean(mean, scale), expected, rtol=1e-5)
    drawn = ops.convert_to_numpy(likelihood.sample(np.repeat(mean, 4000), scale, seed=3))
    assert drawn.dtype == "int32" and drawn.min() == 0 and drawn.max() == 255
    # 20 scales are a standard deviation of 36; 4000 draws: within 5 standard errors
    np.testing.assert_allclose(drawn.reshape(3, -1).mean(axis=1), expected, atol=5 * 36 / 4000**0.5)


def test_distribution_agrees():
    tfp = pytest.importorskip("tensorflow_probability")
    mean, scale = np.array([[-3.0], [100.2], [300.0]], "float32"), np.array([0.4, 20.0], "float32")
    distribution = DiscretizedLogistic().distribution(mean, scale)
    assert isinstance(distribution, tfp.distributions.Distribution)
    assert distribution.batch_shape == (3, 2) and distribution.event_shape == ()
    values = np.arange(256, dtype="float32")[:, None, None]
    log_probs = DiscretizedLogistic().log_prob(values, mean, scale)
    np.testing.assert_array_equal(distribution.log_prob(values), log_probs)
    np.testing.assert_allclose(distribution.mean(), DiscretizedLogistic().mean(mean, scale))
    drawn = distribution.sample(4000, seed=1).numpy()
    # as above
    np.testing.assert_allclose(drawn.mean(axis=0), distribution.mean(), atol=5 * 36 / 4000**0.5)


def test_equals_the_quantised_logistic_of_tfp():
    tfd = pytest.importorskip("tensorflow_probability").distributions
    mean, scale = (x.astype("float32") for x in np.meshgrid([0.0, 30.4, 255.0], [1.0, 5.0, 40.0]))
    # TFP rounds up: its level v holds (v - 1, v]
    theirs = tfd.QuantizedDistribution(tfd.Logistic(mean - 0.5, scale), low=0.0, high=255.0)
    values = np.arange(256, dtype="float32")[:, None, None]
    ours = ops.convert_to_numpy(DiscretizedLogistic().log_prob(values, mean, scale))
    # Of two log-CDFs TFP subtracts the smaller ones; with bins of 1/40 scale two digits go.
    np.testing.assert_allclose(ours, theirs.log_prob(values), rtol=2e-5)


def test_config_round_trip():
    likelihood = DiscretizedLogistic(16, "left", True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(likelihood))
    assert isinstance(again, DiscretizedLogistic)
    assert again.get_config() == {"num_bins": 16, "edges": "left", "saturate": True}


@pytest.mark.parametrize(
    "arguments", [{"num_bins": 1}, {"num_bins": 2.5}, {"edges": "right"}, {"saturate": "yes"}]
)
def test_wrong_arguments_are_errors(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
        DiscretizedLogistic(**arguments)
