"""CausalSelfAttention: equal to its definition, sees the past alone, step by step as at once."""

import keras
import numpy as np
import pytest
from tests.gradients import gradients
from tests.layers import receptive_field as fields

from vqzoo.layers import CausalSelfAttention


def attention(seed=0, channels=(4, 5), **arguments):
    """A layer of two heads whose weights, biases too, are random."""
    layer = CausalSelfAttention(2, 3, 2, **arguments)
    layer.build((None, None, None, channels[0]), (None, None, None, channels[1]))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 1, weight.shape))
    return layer


def maps(height=3, width=4, batch=2, dtype="float32"):
    rng = np.random.default_rng(1)
    return [rng.normal(size=(batch, height, width, size)).astype(dtype) for size in (4, 5)]


def slow_attention(layer, queries, memory):
    """One head, one position, one key at a time; maps of one image, float64."""
    q, k, v, qb, kb, vb = (
        keras.ops.convert_to_numpy(getattr(layer, f"{name}_{kind}")).astype("float64")
        for kind in ("kernel", "bias")
        for name in ("query", "key", "value")
    )
    queries, memory = (x.reshape(-1, x.shape[-1]).astype("float64") for x in (queries, memory))
    output = np.zeros((len(queries), layer.num_heads, layer.value_dim))
    for i, head in np.ndindex(output.shape[:2]):
        keys = slice(head * layer.key_dim, (head + 1) * layer.key_dim)
        values = slice(head * layer.value_dim, (head + 1) * layer.value_dim)
        seen = range(i + layer.include_current)
        scores = [
            (queries[i] @ q + qb)[keys] @ (memory[j] @ k + kb)[keys] / layer.key_dim**0.5
            for j in seen
        ]
        for j, score in zip(seen, scores):
            output[i, head] += np.exp(score) * (memory[j] @ v + vb)[values]
        if seen:
            output[i, head] /= np.exp(scores).sum()
    return output.reshape(len(queries), -1)


@pytest.mark.parametrize("include_current", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (5, 1)])
def test_equals_definition(shape, include_current):
    layer, (queries, memory) = attention(include_current=include_current), maps(*shape)
    outputs = layer(queries, memory)
    for image in range(2):
        expected = slow_attention(layer, queries[image], memory[image]).reshape(*shape, 4)
        np.testing.assert_allclose(outputs[image], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("include_current", [False, True])
def test_steps_equal_the_whole_map(include_current):
    height, width, batch = 3, 4, 2
    layer, (queries, memory) = attention(include_current=include_current), maps()
    expected = keras.ops.convert_to_numpy(layer(queries, memory))
    kept = layer.no_memory(height, width, batch)
    # What is before the first position must not count, whatever it is.
    flat = np.concatenate([np.full((batch, 1, 5), 1e3, "f4"), memory.reshape(batch, -1, 5)], axis=1)
    for row, column in np.ndindex(height, width):
        heard = flat[:, row * width + column + include_current]
        kept, output = layer.step(queries[:, row, column], heard, kept, row, column)
        np.testing.assert_allclose(output, expected[:, row, column], rtol=1e-4, atol=1e-5)


def test_the_first_position_hears_nothing():
    layer, (queries, memory) = attention(), maps()
    outputs = keras.ops.convert_to_numpy(layer(queries, memory))
    assert (outputs[:, 0, 0] == 0).all() and (outputs[:, 0, 1] != 0).all()

    def first(queries, memory):
        return layer(queries, memory)[:, 0, 0] ** 2

    for gradient in gradients(first, queries, memory):
        np.testing.assert_array_equal(gradient, 0)  # not NaN either
    for gradient in gradients(lambda q, m: layer(q, m) ** 2, queries, memory):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


@pytest.mark.parametrize("shape", [(3, 4), (4, 2)])
@pytest.mark.parametrize("include_current", [False, True])
def test_gradient_support_is_the_past(shape, include_current):
    layer = attention(include_current=include_current, dtype="float64")
    queries, memory = maps(*shape, batch=1, dtype="float64")
    count = shape[0] * shape[1]
    field = fields.by_gradient(lambda m: layer(np.repeat(queries, count, axis=0), m), memory)
    expected = fields.earlier(*shape)
    if include_current:
        expected = expected | fields.itself(*shape)
    np.testing.assert_array_equal(field, expected)
    field = fields.by_gradient(lambda q: layer(q, np.repeat(memory, count, axis=0)), queries)
    assert not (field & ~fields.itself(*shape)).any()


def test_dropout_of_scores_only_in_training():
    layer, (queries, memory) = attention(dropout=0.5), maps()
    quiet = layer(queries, memory)
    np.testing.assert_array_equal(quiet, layer(queries, memory, training=False))
    loud = keras.ops.convert_to_numpy(layer(queries, memory, training=True))
    assert np.abs(loud - quiet).max() > 1e-2
    # A dropped score is 0 and no gap: the second position hears the first with weight 1 still.
    np.testing.assert_allclose(loud[:, 0, 1], quiet[:, 0, 1], rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_softmax_is_exact_under_mixed_precision(policy):
    layer, full = attention(dtype=policy), attention()
    queries, memory = maps(height=40, width=40, batch=1)
    outputs = keras.ops.cast(layer(queries * 0, memory), "float32")
    # 1600 equal weights: a sum of them in the low precision would be off by far more.
    np.testing.assert_allclose(outputs, full(queries * 0, memory), atol=0.03)
    assert layer.drop.compute_dtype == "float32"


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"num_heads": 0}, "num_heads"),
        ({"key_dim": 0}, "key_dim"),
        ({"value_dim": None}, "value_dim"),
        ({"include_current": 1}, "include_current"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        CausalSelfAttention(**{"num_heads": 1, "key_dim": 1, "value_dim": 1, **arguments})


def test_inputs_of_other_channels_are_named():
    layer, (queries, memory) = attention(), maps()
    with pytest.raises(ValueError, match="`queries`"):
        layer(memory, memory)
    with pytest.raises(ValueError, match="`memory`"):
        layer(queries, queries)
