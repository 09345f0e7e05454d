"""CausalAttentionBlock: its parts put together, causal, step by step as all at once."""

import keras
import numpy as np
import pytest
from tests.layers import receptive_field as fields
from tests.layers.slow_blocks import randomized, slow_gated_conv
from tests.layers.test_causal_self_attention import slow_attention

from vqzoo.layers import CausalAttentionBlock


def block(**arguments):
    """A block of three channels and two heads whose weights are random."""
    layer = CausalAttentionBlock(3, 4, 2, 3, 2, **arguments)
    layer.build((None, None, None, 3))
    return randomized(layer)


def slow_block(layer, features, inputs):
    """The equations on one image, `(height, width, 3)` float64."""
    height, width, _ = features.shape
    rows, columns = np.mgrid[:height, :width]
    places = np.stack([(rows - height / 2) / height, (columns - width / 2) / width], axis=-1)
    known = np.concatenate([features, places], axis=-1)
    memory = slow_gated_conv(layer.memory, np.concatenate([inputs, known], axis=-1))
    heard = slow_attention(layer.attention, slow_gated_conv(layer.query, known), memory)
    return slow_gated_conv(layer.output_block, features, heard.reshape(height, width, -1))


@pytest.mark.parametrize("shape", [(3, 4), (5, 2)])
def test_equals_definition(shape):
    layer = block()
    features, inputs = np.random.default_rng(0).normal(size=(2, 2, *shape, 3)).astype("float32")
    outputs = layer(features, inputs)
    for image in range(2):
        expected = slow_block(layer, features[image], inputs[image])
        np.testing.assert_allclose(outputs[image], expected, rtol=1e-4, atol=1e-5)


def test_steps_equal_the_whole_map():
    layer, (height, width, batch) = block(), (3, 4, 2)
    shape = (2, batch, height, width, 3)
    features, inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = keras.ops.convert_to_numpy(layer(features, inputs))
    kept = layer.no_memory(height, width, batch)
    before = np.full((batch, 3), 9, "float32")  # not heard by the first position
    for row, column in np.ndindex(height, width):
        kept, output = layer.step(features[:, row, column], before, kept, row, column)
        np.testing.assert_allclose(output, expected[:, row, column], rtol=1e-4, atol=1e-5)
        before = inputs[:, row, column]


def test_inputs_reach_later_positions_only():
    layer, shape = block(dtype="float64"), (3, 4)
    features, inputs = np.random.default_rng(0).normal(size=(2, 1, *shape, 3))
    many = np.repeat(features, 12, axis=0)
    field = fields.by_gradient(lambda x: layer(many, x), inputs)
    np.testing.assert_array_equal(field, fields.earlier(*shape))
    many = np.repeat(inputs, 12, axis=0)
    field = fields.by_gradient(lambda x: layer(x, many), features)
    np.testing.assert_array_equal(field, fields.earlier(*shape) | fields.itself(*shape))


def test_dropout_only_in_training():
    layer = block(dropout=0.5)
    x = np.random.default_rng(4).normal(size=(1, 3, 3, 3)).astype("float32")
    quiet = layer(x, x)
    np.testing.assert_array_equal(quiet, layer(x, x, training=False))
    assert np.abs(layer(x, x, training=True) - quiet).max() > 1e-3
    assert layer.attention.dropout == 0.5


@pytest.mark.parametrize("name", ["filters", "residual_filters", "num_heads", "key_dim"])
def test_errors_name_the_argument(name):
    sizes = dict.fromkeys(("filters", "residual_filters", "num_heads", "key_dim", "value_dim"), 2)
    with pytest.raises(ValueError, match=f"`{name}`"):
        CausalAttentionBlock(**{**sizes, name: 0})
