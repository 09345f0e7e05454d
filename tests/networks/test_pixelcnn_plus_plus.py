"""PixelCNNPlusPlus: causality of the whole network, normalisation, types, conditions, saving."""

import itertools

import keras
import numpy as np
import pytest
from tests.gradients import gradients
from tests.layers import receptive_field as fields

from vqzoo.networks import PixelCNNPlusPlus
from vqzoo.priors import AutoregressivePrior
from vqzoo.sampling.compile import compiled

SMALL = {"filters": 4, "num_blocks": 1, "num_downsamplings": 1}


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def network(seed=0, num_embeddings=5, **arguments):
    """A small network whose random weights are large enough for its outputs to vary."""
    causal = PixelCNNPlusPlus(num_embeddings, **{**SMALL, **arguments})
    rng = np.random.default_rng(seed)
    for weight in causal.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return causal


def codes_of(shape, batch=1):
    return np.random.default_rng(0).integers(0, 5, (batch, *shape), dtype="int32")


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (7, 7), (1, 6), (6, 1)])
@pytest.mark.parametrize("num_downsamplings", [0, 1, 2])
def test_strictly_causal_without_blind_spot(shape, num_downsamplings):
    causal = network(num_blocks=2, num_downsamplings=num_downsamplings, dtype="float64")
    weights = np.random.default_rng(0).uniform(size=(1, *shape, 5))
    field = fields.by_gradient(causal, weights)
    np.testing.assert_array_equal(field, fields.earlier(*shape))


def drawn_block(stacks, skips=(False, False)):
    """Fields of both stacks after one residual block."""
    vertical, horizontal = stacks
    inner = fields.union(vertical, [-1, 0], [-1, 0, 1]) | skips[0]
    vertical = vertical | fields.union(inner, [-1, 0], [-1, 0, 1])
    inner = fields.union(horizontal, [-1, 0], [-1, 0]) | vertical | skips[1]
    return vertical, horizontal | fields.union(inner, [-1, 0], [-1, 0])


def drawn_doubled(stacks, shape):
    """Fields at twice the resolution: a column between two hears both, if it may."""
    vertical, horizontal = (np.zeros((*shape, *field.shape[2:]), bool) for field in stacks)
    for i, j in np.ndindex(*shape):
        vertical[i, j] = stacks[0][i // 2, j // 2 : (j + 1) // 2 + 1].any(axis=0)
        horizontal[i, j] = stacks[1][i // 2, j // 2]
    return vertical, horizontal


def drawn_field(shape, num_downsamplings):
    """What the horizontal stack sees in the end, one block a resolution."""
    itself = fields.itself(*shape)
    above = fields.union(itself, [-2, -1], [-1, 0, 1])
    left = fields.union(itself, [-1], [-1, 0, 1]) | fields.union(itself, [-1, 0], [-1])
    stacks = above, left
    saved = [stacks, drawn_block(stacks)]
    for _ in range(num_downsamplings):
        vertical, horizontal = saved[-1]
        vertical = fields.union(vertical, [-1, 0], [-1, 0, 1])[::2, ::2]
        saved.append((vertical, fields.union(horizontal, [-1, 0], [-1, 0])[::2, ::2]))
        saved.append(drawn_block(saved[-1]))
    stacks = drawn_block(saved.pop(), saved.pop())
    for _ in range(num_downsamplings):
        stacks = drawn_doubled(stacks, saved[-1][0].shape[:2])
        for _ in range(2):
            stacks = drawn_block(stacks, saved.pop())
    assert not saved
    return stacks[1]


@pytest.mark.parametrize("shape", [(4, 11), (9, 6)])
@pytest.mark.parametrize("num_downsamplings", [0, 1, 2])
def test_gradient_support_is_the_drawn_field(shape, num_downsamplings):
    causal = network(num_downsamplings=num_downsamplings, filters=3, dtype="float64")
    weights = np.random.default_rng(0).uniform(size=(1, *shape, 5))
    drawn = drawn_field(shape, num_downsamplings)
    np.testing.assert_array_equal(fields.by_gradient(causal, weights), drawn)
    assert not (drawn & ~fields.earlier(*shape)).any()
    if num_downsamplings == 0:
        assert (drawn != fields.earlier(*shape)).any(), "all is seen: the map is too small"


@pytest.mark.parametrize("shape, num_downsamplings", [((3, 3), 1), ((2, 4), 2), ((1, 7), 0)])
def test_probabilities_of_all_maps_sum_to_one(shape, num_downsamplings):
    size = shape[0] * shape[1]
    maps = np.array(list(itertools.product([0, 1], repeat=size)), "int32").reshape(-1, *shape)
    arguments = {"num_embeddings": 2, "num_classes": 2, "num_downsamplings": num_downsamplings}
    prior = AutoregressivePrior(network(**arguments), shape)
    for labels in (0, 1, None):
        nats = prior.log_prob([maps], labels).astype("float64")
        np.testing.assert_allclose(np.exp(nats).sum(), 1, atol=1e-5)
        assert nats.std() > 0.1  # not the uniform distribution


@pytest.mark.parametrize("shape", [(3, 4), (5, 7)])
def test_conditions_change_the_logits(shape):
    arguments = {"num_classes": 3, "condition_channels": 2, "num_downsamplings": 2}
    causal, codes = network(**arguments), codes_of(shape)
    features = np.random.default_rng(0).normal(size=(1, *shape, 2)).astype("float32")
    base = array(causal(codes, {"labels": np.array([0]), "features": features}))
    label = array(causal(codes, {"labels": np.array([1]), "features": features}))
    place = features.copy()
    place[0, 2, 1] += 1
    spatial = array(causal(codes, {"labels": np.array([0]), "features": place}))
    assert (np.abs(label - base).max(axis=-1) > 1e-6).all()
    assert np.abs(spatial - base)[0, 2, 1].max() > 1e-6


def test_every_weight_gets_a_finite_gradient():
    causal = network(num_classes=2, num_downsamplings=2)
    codes, labels = codes_of((3, 5), batch=2), np.array([0, 1])
    values = [array(weight) for weight in causal.trainable_weights]

    def loss(*weights):
        state = list(zip(causal.trainable_weights, weights))
        with keras.StatelessScope(state_mapping=state):
            logits = causal(codes, {"labels": labels})
        return keras.ops.sparse_categorical_crossentropy(codes, logits, from_logits=True)

    for weight, gradient in zip(causal.trainable_weights, gradients(loss, *values)):
        assert np.isfinite(gradient).all(), weight.path
        assert np.abs(gradient).max() > 0, weight.path


def test_dropout_counts_in_training_only():
    causal, codes = network(dropout=0.5), codes_of((3, 4))
    np.testing.assert_array_equal(causal(codes), causal(codes))
    assert (array(causal(codes, training=True)) != array(causal(codes))).any()


def test_all_weights_exist_from_construction_on():
    causal = network(num_classes=3, condition_channels=2)
    names = [weight.path for weight in causal.weights]
    condition = {"labels": np.array([0]), "features": np.zeros((1, 3, 4, 2), "float32")}
    causal(np.zeros((1, 3, 4), "int32"), condition)
    assert [weight.path for weight in causal.weights] == names
    assert len(set(names)) == len(names)


def test_a_weight_file_brings_the_same_logits(tmp_path):
    causal, other = network(num_downsamplings=2), network(seed=1, num_downsamplings=2)
    causal.save_weights(tmp_path / "network.weights.h5")
    other.load_weights(tmp_path / "network.weights.h5")
    codes = codes_of((3, 4))
    np.testing.assert_array_equal(other(codes), causal(codes))


def test_configuration_round_trip():
    arguments = {**SMALL, "condition_channels": 2, "dropout": 0.2}
    causal = PixelCNNPlusPlus(7, 3, name="prior_network", **arguments)
    assert {key: causal.get_config()[key] for key in arguments} == arguments
    again = PixelCNNPlusPlus.from_config(causal.get_config())
    assert again.get_config() == causal.get_config()
    assert [w.path for w in again.weights] == [w.path for w in causal.weights]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_mixed_precision(policy):
    causal, codes = PixelCNNPlusPlus(7, **SMALL, dtype=policy), codes_of((3, 5), batch=2)
    logits = causal(codes)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    for layer in (causal.down_blocks[0].inner["vertical"], causal.doublings[0]):
        assert layer.compute_dtype == policy.removeprefix("mixed_")
    full = PixelCNNPlusPlus(7, **SMALL)
    full.set_weights(causal.get_weights())
    np.testing.assert_allclose(logits, full(codes), atol=0.05)
    one_hot = np.eye(7, dtype="float32")[codes]
    np.testing.assert_array_equal(causal(one_hot), logits)


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"num_embeddings": 0}, "num_embeddings"),
        ({"filters": 0}, "filters"),
        ({"num_blocks": 0}, "num_blocks"),
        ({"num_downsamplings": -1}, "num_downsamplings"),
        ({"num_downsamplings": 3}, "num_downsamplings"),
        ({"dropout": 1}, "dropout"),
        ({"num_classes": 0}, "num_classes"),
        ({"condition_channels": 0}, "condition_channels"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        PixelCNNPlusPlus(**{"num_embeddings": 4, **SMALL, **arguments})


def test_a_graph_may_leave_the_sides_open():
    """Data sets hide their batch size from `fit`, and graphs that met several sizes open theirs."""
    causal = network(num_downsamplings=2)
    forward = compiled(causal, causal, jit=False)
    for batch, shape in enumerate([(3, 4), (5, 7), (8, 2)], 1):
        codes = codes_of(shape, batch)
        np.testing.assert_allclose(forward(codes), causal(codes), rtol=1e-4, atol=1e-5)


def test_sampling_may_leave_the_batch_open():
    """As an export does, which knows no batch size and is not compiled by XLA."""
    prior = AutoregressivePrior(network(num_downsamplings=1), (3, 5))
    seeds, temperature = np.array([4, 9]), np.ones(2, "float32")

    def draw(seeds, temperature):
        return prior.latents_of_seeds(seeds, None, temperature)[0]

    forward = compiled(draw, prior, jit=False)
    forward(seeds[:1], temperature[:1])
    codes = array(forward(seeds, temperature))
    for row, seed in enumerate(seeds):
        np.testing.assert_array_equal(codes[row], prior.sample(1, seed=int(seed))[0][0])
