"""Causal networks read weights of codes as they read codes, and gradients reach them."""

import keras
import numpy as np
import pytest
from tests.gradients import gradients

from vqzoo.networks import CAUSAL_NETWORKS

SMALL = {
    "GatedPixelCNN": {"filters": 6, "num_layers": 2, "head_filters": 8},
    "PixelCNNPlusPlus": {"filters": 6, "num_blocks": 1, "num_downsamplings": 1},
    "PixelSNAIL": {"filters": 6, "residual_filters": 5, "num_layers": 1, "kernel_size": 3}
    | {"attention_after": [1], "num_heads": 2, "key_dim": 3, "value_dim": 2},
}
CODES = np.random.default_rng(0).integers(0, 7, (2, 3, 5), "int32")


def test_every_causal_network_is_here():
    assert sorted(SMALL) == sorted(CAUSAL_NETWORKS)


@pytest.fixture(params=SMALL)
def network(request):
    return CAUSAL_NETWORKS[request.param](7, **SMALL[request.param])


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def one_hot():
    return np.eye(7, dtype="float32")[CODES]


def test_one_hot_weights_are_the_codes(network):
    np.testing.assert_array_equal(network(one_hot()), network(CODES))


def test_weights_mix_the_vectors(network):
    """The table replaced by its mixture reads one code where the other reads two halves."""
    halves = one_hot()
    halves[0, 1, 2] = 0.5 * (np.eye(7)[1] + np.eye(7)[4])
    mixed = array(network(halves))
    table, codes = array(network.embedding.embeddings).copy(), CODES.copy()
    spare = next(code for code in range(7) if code not in codes[0].ravel()[:7])
    table[spare] = (table[1] + table[4]) / 2
    codes[0, 1, 2] = spare
    network.embedding.embeddings.assign(table)
    np.testing.assert_allclose(array(network(codes))[0, 1, 3], mixed[0, 1, 3], atol=1e-5)


def test_gradients_reach_the_weights_of_earlier_positions_only(network):
    def logits_of_one(weights):
        return network(weights)[:, 1, 2]

    (gradient,) = gradients(lambda x: keras.ops.square(logits_of_one(x)), one_hot())
    reached = np.abs(gradient).sum(axis=-1).reshape(2, -1) > 0
    assert reached[:, 6].all() and reached[:, :5].any()
    assert not reached[:, 7:].any()


@pytest.mark.parametrize(
    "codes", [np.zeros((2, 3)), np.zeros((2, 3, 5)), np.zeros((2, 3, 5, 6)), CODES[..., None]]
)
def test_what_is_neither_is_refused(network, codes):
    with pytest.raises(ValueError, match="`codes`"):
        network(codes)
