"""GatedMaskedConv: equal to its equations, sees what it should, step by step as all at once."""

import keras
import numpy as np
import pytest
from tests.layers import receptive_field as fields

from vqzoo.layers import GatedMaskedConv


def array(weight):
    return keras.ops.convert_to_numpy(weight).astype("float64")


def slow_gate(x):
    """Signal and opening are the halves of the channels."""
    half = x.shape[-1] // 2
    return np.tanh(x[..., :half]) / (1 + np.exp(-x[..., half:]))


def slow_layer(layer, vertical, horizontal, condition):
    """One position at a time; stacks `(height, width, channels)`, condition broadcast to gates."""
    height, width, _ = vertical.shape
    half, gates = layer.kernel_size // 2, 2 * layer.filters
    above, left = np.zeros((2, height, width, gates))
    rows = [-half + i for i in range(half + (not layer.first))]
    for i, j in np.ndindex(height, width):
        for tap, row in enumerate(rows):
            for column in range(-half, half + 1):
                if i + row >= 0 and 0 <= j + column < width:
                    kernel = array(layer.vertical_kernel)[tap, column + half]
                    above[i, j] += vertical[i + row, j + column] @ kernel
            if j + row >= 0:  # the taps of the row are those of the column, transposed
                left[i, j] += horizontal[i, j + row] @ array(layer.horizontal_kernel)[0, tap]
    above += array(layer.vertical_bias)
    across = above @ array(layer.vertical_to_horizontal_kernel) + array(layer.horizontal_bias)
    gated = slow_gate(across + left + condition)
    output = gated @ array(layer.output_kernel) + array(layer.output_bias)
    return slow_gate(above + condition), output + layer.residual * horizontal


def randomized(layer, seed=0):
    """Gives every weight, biases too, a random value."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return layer


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3), (1, 5), (5, 1)])
@pytest.mark.parametrize("first, kernel_size", [(True, 7), (True, 3), (False, 3), (False, 5)])
def test_equals_definition(shape, first, kernel_size):
    rng = np.random.default_rng(0)
    vertical, horizontal = rng.normal(size=(2, 2, *shape, 3)).astype("float32")
    features = rng.normal(size=(2, *shape, 2)).astype("float32")
    labels = np.array([1, 0])
    layer = GatedMaskedConv(3, kernel_size, first, not first, 4, condition_channels=2)
    layer.build([vertical.shape, horizontal.shape])
    outputs = randomized(layer)([vertical, horizontal], labels=labels, features=features)
    for image in range(2):
        condition = array(layer.class_vectors)[labels[image]]
        condition = condition + features[image] @ array(layer.features_kernel)
        expected = slow_layer(layer, vertical[image], horizontal[image], condition)
        for output, wanted in zip(outputs, expected):
            np.testing.assert_allclose(output[image], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4)])
@pytest.mark.parametrize("sizes", [(3,), (7,), (3, 3), (5, 3, 5), (7, 3, 3, 3)])
def test_gradient_support_is_the_drawn_field(shape, sizes):
    layers = [
        GatedMaskedConv(3, size, first=not i, residual=bool(i), dtype="float64")
        for i, size in enumerate(sizes)
    ]
    inputs = np.random.default_rng(1).normal(size=(1, *shape, 3))

    def stack(x, which):
        stacks = (x, x)
        for layer in layers:
            stacks = layer(stacks)
        return stacks[which]

    drawn = (fields.itself(*shape),) * 2
    for index, size in enumerate(sizes):
        drawn = fields.gated_layer(drawn, size, first=not index)
    for which in (0, 1):
        field = fields.by_gradient(lambda x: stack(x, which), inputs)
        np.testing.assert_array_equal(field, drawn[which])
    assert not (drawn[1] & ~fields.earlier(*shape)).any(), "an output sees the future"


def test_enough_layers_leave_no_blind_spot():
    drawn = (fields.itself(5, 5),) * 2
    for index in range(5):
        drawn = fields.gated_layer(drawn, 3, first=not index)
    np.testing.assert_array_equal(drawn[1], fields.earlier(5, 5))  # what the test above compares


@pytest.mark.parametrize("kernel_size, first", [(3, True), (7, True), (3, False), (5, False)])
def test_rows_and_steps_equal_the_whole_map(kernel_size, first):
    height, width, batch, channels = 4, 5, 2, 3
    layer = GatedMaskedConv(channels, kernel_size, first, not first)
    stacks = np.random.default_rng(3).normal(size=(2, batch, height, width, channels))
    stacks = stacks.astype("float32")
    layer.build([stacks.shape[1:]] * 2)
    randomized(layer)
    expected = [np.transpose(output, (1, 2, 0, 3)) for output in layer(list(stacks))]
    vertical, horizontal = np.transpose(stacks, (0, 2, 3, 1, 4))
    above, matrix = layer.no_rows(width, batch), layer.horizontal_matrix()
    for row in range(height):
        last = row - first  # the newest row that this one sees
        x = vertical[last] if last >= 0 else np.zeros((width, batch, channels), "f4")
        above, output, inputs = layer.vertical_row(above, x)
        np.testing.assert_allclose(output, expected[0][row], rtol=1e-4, atol=1e-5)
        pending = layer.no_columns(batch)
        for column in range(width):
            last = column - first
            x = horizontal[row, last] if last >= 0 else np.zeros((batch, channels), "f4")
            pending, output = layer.horizontal_step(x, pending, inputs[column], matrix)
            np.testing.assert_allclose(output, expected[1][row, column], rtol=1e-4, atol=1e-5)


def test_dropout_only_in_training():
    layer = GatedMaskedConv(4, 3, dropout=0.5)
    x = np.random.default_rng(4).normal(size=(1, 3, 3, 4)).astype("float32")
    quiet = layer((x, x))[1]
    np.testing.assert_array_equal(quiet, layer((x, x), training=False)[1])
    assert np.abs(layer((x, x), training=True)[1] - quiet).max() > 1e-3


def test_configuration_round_trip_before_and_after_building():
    layer = GatedMaskedConv(4, 5, residual=False, num_classes=3, condition_channels=2, dropout=0.1)
    config = layer.get_config()
    layer.build([(None, 4, 5, 6)] * 2)
    assert layer.get_config() == config
    assert GatedMaskedConv.from_config(config).get_config() == config


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_computes_in_the_policy_s_type(policy):
    layer = GatedMaskedConv(4, 3, num_classes=3, condition_channels=2, dtype=policy)
    x = np.ones((1, 3, 4, 4), "float32")
    outputs = layer((x, x), labels=np.array([0]), features=np.ones((1, 3, 4, 2), "float32"))
    for output in outputs:
        assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"kernel_size": 4}, "kernel_size"),
        ({"kernel_size": 1}, "kernel_size"),
        ({"kernel_size": 3, "first": True}, "residual"),
        ({"kernel_size": 3, "dropout": 1.0}, "dropout"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        GatedMaskedConv(2, **arguments)


def test_a_residual_needs_as_many_channels():
    with pytest.raises(ValueError, match="`filters`"):
        GatedMaskedConv(2, 3).build([(None, 4, 4, 3)] * 2)


def test_conditions_are_needed_or_refused():
    x = np.ones((1, 2, 2, 2), "float32")
    with pytest.raises(ValueError, match="`labels` must be given"):
        GatedMaskedConv(2, 3, num_classes=3)((x, x))
    with pytest.raises(ValueError, match="`features` must be None"):
        GatedMaskedConv(2, 3)((x, x), features=x)
