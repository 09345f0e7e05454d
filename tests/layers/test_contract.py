"""What every public layer owes: configuration, dtype policy, shape, reloading."""

import keras
import numpy as np
import pytest

from vqzoo import layers

INPUTS = (2, 3, 5, 4)
"""Shape of the inputs: not square, so that a swap of axes shows."""

ATTENTION = {"num_heads": 2, "key_dim": 3, "value_dim": 2}

CASES = {
    "CausalAttentionBlock": {"filters": 4, "residual_filters": 3, **ATTENTION},
    "CausalResidualBlock": {"filters": 4, "residual_filters": 3, "kernel_size": 3},
    "CausalSelfAttention": ATTENTION,
    "GatedConvBlock": {"filters": 4, "residual_filters": 3, "dropout": 0.1},
    "GatedMaskedConv": {"filters": 4, "kernel_size": 3},
    "GaussianBottleneck": {"latent_dim": 3, "seed": 1},
    "GumbelSoftmaxLatent": {"num_embeddings": 4, "embedding_dim": 3, "temperature": 0.5, "seed": 1},
    "MaskedConv2D": {"filters": 6, "kernel_size": (3, 3), "mask_type": "A"},
    "ResidualBlock": {"filters": 4, "residual_filters": 3},
    "ShiftedConv2D": {"filters": 6, "kernel_size": (2, 3), "stack": "vertical", "first": True},
    "ShiftedResidualBlock": {"filters": 4, "num_classes": None, "dropout": 0.1},
    "VectorQuantizer": {"num_embeddings": 7, "embedding_dim": 4},
    "VectorQuantizerEMA": {"num_embeddings": 7, "embedding_dim": 4, "seed": 1},
}

STACKED = layers.CausalResidualBlock, layers.GatedMaskedConv, layers.ShiftedResidualBlock
"""Layers on pairs of stacks."""

EXACT = ("GaussianBottleneck",)
"""Layers whose outputs are float32 under every policy."""


PROBABILITIES = ("GumbelSoftmaxLatent",)
"""Layers that give probabilities, too, which are float32 under every policy."""


def test_every_public_layer_is_listed():
    public = (getattr(layers, name) for name in layers.__all__)
    kinds = [kind.__name__ for kind in public if issubclass(kind, keras.layers.Layer)]
    assert sorted(CASES) == sorted(kinds)


@pytest.fixture(params=CASES)
def layer(request):
    return getattr(layers, request.param)(**CASES[request.param])


def call(layer):
    features = np.random.default_rng(0).normal(size=INPUTS).astype("float32")
    if isinstance(layer, STACKED):
        return layer((features, features))
    if isinstance(layer, (layers.CausalAttentionBlock, layers.CausalSelfAttention)):
        return layer(features, features)
    return layer(features)


def test_configuration_is_what_was_given_before_and_after_building(layer):
    arguments, before = CASES[type(layer).__name__], layer.get_config()
    assert {key: before[key] for key in arguments} == arguments
    call(layer)
    assert layer.get_config() == before
    again = type(layer).from_config(before)
    assert again.get_config() == before


def test_same_weights_give_the_same_outputs(layer):
    expected = keras.tree.flatten(call(layer))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    call(again)
    again.set_weights(layer.get_weights())
    for one, other in zip(expected, keras.tree.flatten(call(again)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"], indirect=True)
@pytest.mark.parametrize("name", CASES)
def test_mixed_precision_computes_low_and_keeps_float32_weights(name, policy):
    layer = getattr(layers, name)(**CASES[name])
    for output in keras.tree.flatten(call(layer)):
        dtype = keras.backend.standardize_dtype(output.dtype)
        low = "float32" if name in EXACT else policy.removeprefix("mixed_")
        assert dtype in (low, "int32") or name in PROBABILITIES and dtype == "float32"
        assert tuple(output.shape[:3]) == INPUTS[:3]
    for weight in layer.weights:
        assert weight.dtype in ("float32", "int64", "int32", "uint32"), weight.path


def test_all_weights_exist_after_the_first_call(layer):
    call(layer)
    count = len(layer.weights)
    call(layer)
    assert len(layer.weights) == count > 0
