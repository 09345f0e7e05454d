"""PixelCNNPlusPlusPixels: what it reads, causality, normalisation, configuration, saving."""

import itertools

import keras
import numpy as np
import pytest
from tests.layers import receptive_field as fields

from vqzoo.likelihoods import DiscretizedLogisticMixture
from vqzoo.networks import PixelCNNPlusPlusPixels

SMALL = {"filters": 4, "num_blocks": 1, "num_downsamplings": 1}


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def network(channels=3, num_outputs=4, seed=0, **arguments):
    """A small network whose random weights are large enough for its outputs to vary."""
    causal = PixelCNNPlusPlusPixels(channels, num_outputs, **{**SMALL, **arguments})
    rng = np.random.default_rng(seed)
    for weight in causal.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return causal


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


def test_integers_are_rescaled_floats_are_taken_as_they_are():
    causal, images = network(), pixels(2, 4, 5, 3)
    np.testing.assert_array_equal(causal(images), causal(images.astype("int32")))
    scaled = (images / 127.5 - 1).astype("float32")
    np.testing.assert_allclose(causal(images), causal(scaled), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7), (4, 4)])
@pytest.mark.parametrize("num_downsamplings", [0, 1, 2])
def test_strictly_causal_without_blind_spot(shape, num_downsamplings):
    causal = network(num_blocks=2, num_downsamplings=num_downsamplings, dtype="float64")
    images = np.random.default_rng(0).uniform(-1, 1, (1, *shape, 3))
    np.testing.assert_array_equal(fields.by_gradient(causal, images), fields.earlier(*shape))


def test_padding_is_not_grey():
    """Value 0 on -1..1 differs from what lies outside: the channel of ones says so."""
    causal = network()
    grey = np.zeros((1, 2, 3, 3), "float32")
    rows = array(causal(grey))[0]
    assert np.abs(rows[1, 0] - rows[0, 0]).max() > 1e-6


def test_probabilities_of_all_images_sum_to_one():
    likelihood = DiscretizedLogisticMixture(2, channels=1, num_bins=3)
    causal = network(1, likelihood.num_parameters)
    levels = np.array(list(itertools.product(range(3), repeat=6))).reshape(-1, 2, 3, 1)
    nats = array(likelihood.log_prob(levels, causal((levels - 1.0).astype("float32"))))
    nats = nats.astype("float64").sum(axis=(1, 2))
    np.testing.assert_allclose(np.exp(nats).sum(), 1, atol=1e-5)
    assert nats.std() > 0.1  # not the uniform distribution


def test_configuration_and_weights_round_trip(tmp_path):
    causal = network(1, 6, num_classes=2, dropout=0.1)
    again = PixelCNNPlusPlusPixels.from_config(causal.get_config())
    assert again.get_config() == causal.get_config()
    causal.save_weights(tmp_path / "network.weights.h5")
    again.load_weights(tmp_path / "network.weights.h5")
    images, condition = pixels(2, 3, 5, 1), {"labels": np.array([0, 1])}
    np.testing.assert_array_equal(again(images, condition), causal(images, condition))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_outputs_are_float32_under_mixed_precision(policy):
    causal, images = PixelCNNPlusPlusPixels(3, 7, **SMALL, dtype=policy), pixels(2, 3, 5, 3)
    outputs = causal(images)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    full = PixelCNNPlusPlusPixels(3, 7, **SMALL)
    full.set_weights(causal.get_weights())
    np.testing.assert_allclose(outputs, full(images), atol=0.05)


@pytest.mark.parametrize("name", ["image_channels", "num_outputs", "filters", "num_blocks"])
def test_errors_name_the_argument(name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        PixelCNNPlusPlusPixels(**{"image_channels": 1, "num_outputs": 2, **SMALL, name: 0})


@pytest.mark.parametrize("images", [pixels(2, 3, 5, 1), pixels(3, 5, 3), pixels(1, 2, 2, 3) > 9])
def test_what_is_no_image_is_refused(images):
    with pytest.raises(ValueError, match="`images`"):
        network()(images)
