"""GatedPixelCNN: causality of the whole network, types, conditions, saving."""

import keras
import numpy as np
import pytest

from tests.layers import receptive_field as fields
from vqzoo.networks import GatedPixelCNN

SMALL = {"filters": 6, "num_layers": 3, "head_filters": 8}


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_gradient_support_is_the_drawn_field(shape, num_layers):
    arguments = {**SMALL, "num_layers": num_layers, "first_kernel_size": 5}
    keras.utils.set_random_seed(0)  # else, once in a while, all units of the head are off
    network = GatedPixelCNN(7, **arguments, dtype="float64")
    drawn = fields.gated_layer((fields.itself(*shape),) * 2, 5, first=True)
    for _ in range(num_layers - 1):
        drawn = fields.gated_layer(drawn, 3, first=False)
    vectors = np.random.default_rng(0).normal(size=(1, *shape, 6))

    def after_the_embedding(x):
        stacks = (x, x)
        for layer in network.gated_layers:
            stacks = layer(stacks)
        return network.to_logits(network.head(stacks[1]))

    field = fields.by_gradient(after_the_embedding, vectors)
    np.testing.assert_array_equal(field, drawn[1])
    assert not (field & ~fields.earlier(*shape)).any()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
def test_changed_codes_move_later_logits_only(shape):
    network = GatedPixelCNN(7, **SMALL, dtype="float64")
    codes = np.random.default_rng(0).integers(0, 7, (1, *shape))
    before = array(network(codes))[0]
    for place in np.ndindex(shape):
        changed = codes.copy()
        changed[(0, *place)] = (changed[(0, *place)] + 1) % 7
        moved = (array(network(changed))[0] != before).any(axis=-1).ravel()
        position = int(np.ravel_multi_index(place, shape))
        assert not moved[: position + 1].any()
        assert moved[position + 1 :].any() or position == moved.size - 1


def test_conditions_change_the_logits():
    network = GatedPixelCNN(7, num_classes=3, condition_channels=2, **SMALL)
    codes = np.zeros((1, 3, 4), "int32")
    features = np.random.default_rng(0).normal(size=(1, 3, 4, 2)).astype("float32")
    base = array(network(codes, {"labels": np.array([0]), "features": features}))
    label = array(network(codes, {"labels": np.array([1]), "features": features}))
    place = features.copy()
    place[0, 2, 1] += 1
    spatial = array(network(codes, {"labels": np.array([0]), "features": place}))
    assert (np.abs(label - base).max(axis=-1) > 1e-6).all()
    assert np.abs(spatial - base)[0, 2, 1].max() > 1e-6
    np.testing.assert_array_equal(spatial[0, :2], base[0, :2])


def test_all_weights_exist_from_construction_on():
    network = GatedPixelCNN(7, 3, condition_channels=2, **SMALL)
    names = [weight.path for weight in network.weights]
    condition = {"labels": np.array([0]), "features": np.zeros((1, 3, 4, 2), "float32")}
    network(np.zeros((1, 3, 4), "int32"), condition)
    assert [weight.path for weight in network.weights] == names
    assert len(set(names)) == len(names)


def test_configuration_round_trip():
    network = GatedPixelCNN(7, 3, dropout=0.2, name="prior_network", **SMALL)
    again = GatedPixelCNN.from_config(network.get_config())
    assert again.get_config() == network.get_config()
    assert [w.path for w in again.weights] == [w.path for w in network.weights]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_mixed_precision(policy):
    network = GatedPixelCNN(7, **SMALL, dtype=policy)
    codes = np.random.default_rng(0).integers(0, 7, (2, 3, 4))
    logits = network(codes)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert network.gated_layers[1].compute_dtype == policy.removeprefix("mixed_")
    full = GatedPixelCNN(7, **SMALL)
    full.set_weights(network.get_weights())
    np.testing.assert_allclose(logits, full(codes), atol=0.05)


@pytest.mark.parametrize("name", ["num_embeddings", "num_layers"])
def test_errors_name_the_argument(name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        GatedPixelCNN(**{"num_embeddings": 4, **SMALL, name: 0})
