"""PixelSNAIL: causality of the whole network, normalisation, types, conditions, saving."""

import itertools

import keras
import numpy as np
import pytest
from tests.gradients import gradients
from tests.layers import receptive_field as fields

from vqzoo.networks import PixelSNAIL
from vqzoo.priors import AutoregressivePrior
from vqzoo.sampling.compile import compiled

SMALL = {"filters": 6, "residual_filters": 5, "num_layers": 2, "kernel_size": 3}
SMALL |= {"attention_after": [1], "num_heads": 2, "key_dim": 3, "value_dim": 2}


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def network(seed=0, num_embeddings=7, **arguments):
    """A small network whose random weights are large enough for its outputs to vary."""
    causal = PixelSNAIL(num_embeddings, **{**SMALL, **arguments})
    rng = np.random.default_rng(seed)
    for weight in causal.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return causal


def codes_of(shape, batch=1, num_embeddings=7):
    return np.random.default_rng(0).integers(0, num_embeddings, (batch, *shape), dtype="int32")


def field_of(causal, shape):
    """What each position's logits depend on, by the gradient with respect to weights of codes."""
    weights = np.random.default_rng(0).uniform(size=(1, *shape, causal.num_embeddings))
    return fields.by_gradient(causal, weights)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
@pytest.mark.parametrize("num_layers, kernel_size", [(1, 3), (2, 3), (2, 5)])
def test_without_attention_no_blind_spot(shape, num_layers, kernel_size):
    arguments = {"num_layers": num_layers, "kernel_size": kernel_size, "attention_after": []}
    drawn = fields.gated_layer((fields.itself(*shape),) * 2, kernel_size, first=True)
    for _ in range(num_layers):
        drawn = fields.gated_layer(drawn, kernel_size, first=False)
    field = field_of(network(**arguments, dtype="float64"), shape)
    np.testing.assert_array_equal(field, drawn[1])
    assert not (field & ~fields.earlier(*shape)).any()


@pytest.mark.parametrize("shape", [(4, 4), (2, 7), (7, 2)])
def test_with_attention_all_of_the_past_is_seen(shape):
    causal = network(num_layers=1, output_blocks=1, dtype="float64")
    np.testing.assert_array_equal(field_of(causal, shape), fields.earlier(*shape))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
def test_changed_codes_move_later_logits_only(shape):
    causal, codes = network(dtype="float64"), codes_of(shape)
    before = array(causal(codes))[0]
    for place in np.ndindex(shape):
        changed = codes.copy()
        changed[(0, *place)] = (changed[(0, *place)] + 1) % 7
        moved = (array(causal(changed))[0] != before).any(axis=-1).ravel()
        position = int(np.ravel_multi_index(place, shape))
        assert not moved[: position + 1].any()
        assert moved[position + 1 :].all(), "attention hears every code before"


@pytest.mark.parametrize("shape", [(3, 3), (2, 4)])
def test_probabilities_of_all_maps_sum_to_one(shape):
    size = shape[0] * shape[1]
    maps = np.array(list(itertools.product([0, 1], repeat=size)), "int32").reshape(-1, *shape)
    prior = AutoregressivePrior(network(num_embeddings=2, num_classes=2), shape)
    for labels in (0, 1, None):
        nats = prior.log_prob([maps], labels).astype("float64")
        np.testing.assert_allclose(np.exp(nats).sum(), 1, atol=1e-5)
        assert nats.std() > 0.1  # not the uniform distribution


def test_probabilities_of_pairs_of_512_codes_sum_to_one():
    causal = network(num_embeddings=512)
    every = np.stack([np.arange(512), np.zeros(512)], axis=-1).astype("int32")[:, None]
    first, second = (array(causal(every))[:, 0, place].astype("float64") for place in (0, 1))
    log_first, log_second = (x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in (first, second))
    np.testing.assert_allclose(log_first, log_first[:1].repeat(512, 0), atol=1e-5)
    pairs = np.exp(np.diagonal(log_first)[:, None] + log_second)
    np.testing.assert_allclose(pairs.sum(), 1, atol=1e-5)
    assert log_second.std(axis=0).max() > 0.1  # the second code depends on the first


def test_conditions_change_the_logits():
    causal, codes = network(num_classes=3, condition_channels=2), codes_of((3, 4))
    features = np.random.default_rng(0).normal(size=(1, 3, 4, 2)).astype("float32")
    base = array(causal(codes, {"labels": np.array([0]), "features": features}))
    label = array(causal(codes, {"labels": np.array([1]), "features": features}))
    place = features.copy()
    place[0, 2, 1] += 1
    spatial = array(causal(codes, {"labels": np.array([0]), "features": place}))
    assert (np.abs(label - base).max(axis=-1) > 1e-6).all()
    assert np.abs(spatial - base)[0, 2, 1].max() > 1e-6
    np.testing.assert_array_equal(spatial[0, :2], base[0, :2])


def test_every_weight_gets_a_finite_gradient():
    causal = network(num_classes=2, output_blocks=1)
    codes, labels = codes_of((3, 4), batch=2), np.array([0, 1])
    values = [array(weight) for weight in causal.trainable_weights]

    def loss(*weights):
        state = list(zip(causal.trainable_weights, weights))
        with keras.StatelessScope(state_mapping=state):
            logits = causal(codes, {"labels": labels})
        return keras.ops.sparse_categorical_crossentropy(codes, logits, from_logits=True)

    for weight, gradient in zip(causal.trainable_weights, gradients(loss, *values)):
        assert np.isfinite(gradient).all(), weight.path
        # A bias of all keys moves every score alike: the softmax does not see it.
        assert weight.name == "key_bias" or np.abs(gradient).max() > 0, weight.path


def test_all_weights_exist_from_construction_on():
    causal = network(num_classes=3, condition_channels=2, output_blocks=2)
    names = [weight.path for weight in causal.weights]
    condition = {"labels": np.array([0]), "features": np.zeros((1, 3, 4, 2), "float32")}
    causal(np.zeros((1, 3, 4), "int32"), condition)
    assert [weight.path for weight in causal.weights] == names
    assert len(set(names)) == len(names)


def test_a_weight_file_brings_the_same_logits(tmp_path):
    causal, other = network(output_blocks=2), network(seed=1, output_blocks=2)
    causal.save_weights(tmp_path / "network.weights.h5")
    other.load_weights(tmp_path / "network.weights.h5")
    codes = codes_of((3, 4))
    np.testing.assert_array_equal(other(codes), causal(codes))


@pytest.mark.parametrize("places", [[], [2], (1, 2)])
def test_configuration_round_trip(places):
    arguments = {**SMALL, "attention_after": places, "output_blocks": 1, "dropout": 0.2}
    causal = PixelSNAIL(7, 3, name="prior_network", **arguments)
    assert causal.get_config()["attention_after"] == list(places)
    again = PixelSNAIL.from_config(causal.get_config())
    assert again.get_config() == causal.get_config()
    assert [w.path for w in again.weights] == [w.path for w in causal.weights]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_mixed_precision(policy):
    causal = PixelSNAIL(7, **SMALL, dtype=policy)
    codes = codes_of((3, 4), batch=2)
    logits = causal(codes)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    for layer in (causal.gated_layers[1], causal.attention_layers[0].attention):
        assert layer.compute_dtype == policy.removeprefix("mixed_")
    full = PixelSNAIL(7, **SMALL)
    full.set_weights(causal.get_weights())
    np.testing.assert_allclose(logits, full(codes), atol=0.05)


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"num_layers": 0}, "num_layers"),
        ({"attention_after": [3]}, "attention_after"),
        ({"attention_after": [0]}, "attention_after"),
        ({"attention_after": [2, 1]}, "attention_after"),
        ({"attention_after": [1, 1]}, "attention_after"),
        ({"attention_after": 1}, "attention_after"),
        ({"attention_after": [], "num_heads": 0}, "num_heads"),
        ({"output_blocks": -1}, "output_blocks"),
        ({"kernel_size": 4}, "kernel_size"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        PixelSNAIL(4, **{**SMALL, **arguments})


def test_a_graph_may_leave_the_batch_open():
    """Data sets hide their batch size from `fit`, and graphs that met several sizes open theirs."""
    causal = network()
    forward = compiled(causal, causal, jit=False)
    for batch in (2, 3, 5):
        codes = codes_of((3, 4), batch)
        np.testing.assert_allclose(array(forward(codes)), array(causal(codes)), rtol=1e-4, atol=1e-5)
