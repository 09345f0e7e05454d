"""CausalResidualBlock: equal to its equations, sees what it should, step by step as all at once."""

import keras
import numpy as np
import pytest
from tests.layers import receptive_field as fields
from tests.layers.slow_blocks import elu, gated, randomized

from vqzoo.layers import CausalResidualBlock, GatedMaskedConv


def slow_block(block, vertical, horizontal, condition):
    """One position at a time; stacks `(height, width, channels)`, condition for the gates."""
    weight = {w.name: keras.ops.convert_to_numpy(w).astype("float64") for w in block.weights}
    height, width, _ = vertical.shape
    half = block.kernel_size // 2

    def change(hidden, stack):
        gates = elu(hidden) @ weight[f"{stack}_output_kernel"] + weight[f"{stack}_output_bias"]
        return gated(gates + condition)

    def conv(x, kernel, rows, columns):
        output = np.zeros((height, width, block.residual_filters))
        for i, j in np.ndindex(height, width):
            for tap, row in enumerate(rows):
                for place, column in enumerate(columns):
                    if i + row >= 0 and 0 <= j + column < width:
                        output[i, j] += elu(x[i + row, j + column]) @ kernel[tap, place]
        return output

    past = range(-half, 1)
    above = conv(vertical, weight["vertical_kernel"], past, range(-half, half + 1))
    vertical = vertical + change(above + weight["vertical_bias"], "vertical")
    left = conv(horizontal, weight["horizontal_kernel"], [0], past) + weight["horizontal_bias"]
    left = left + elu(vertical) @ weight["vertical_to_horizontal_kernel"]
    return vertical, horizontal + change(left, "horizontal")


@pytest.mark.parametrize("shape", [(3, 4), (4, 2), (1, 5)])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_equals_definition(shape, kernel_size):
    rng = np.random.default_rng(0)
    vertical, horizontal = rng.normal(size=(2, 2, *shape, 3)).astype("float32")
    features = rng.normal(size=(2, *shape, 2)).astype("float32")
    labels = np.array([1, 0])
    block = CausalResidualBlock(3, 4, kernel_size, num_classes=2, condition_channels=2)
    block.build([vertical.shape, horizontal.shape])
    outputs = randomized(block)([vertical, horizontal], labels=labels, features=features)
    for image in range(2):
        vectors, kernel = (np.asarray(w) for w in (block.class_vectors, block.features_kernel))
        condition = vectors[labels[image]] + features[image] @ kernel
        expected = slow_block(block, vertical[image], horizontal[image], condition)
        for output, wanted in zip(outputs, expected):
            np.testing.assert_allclose(output[image], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4)])
@pytest.mark.parametrize("sizes", [(3, 3), (5, 3, 5)])
def test_gradient_support_is_the_drawn_field(shape, sizes):
    first = GatedMaskedConv(3, sizes[0], first=True, residual=False, dtype="float64")
    blocks = [CausalResidualBlock(3, 4, size, dtype="float64") for size in sizes[1:]]

    def stack(x, which):
        stacks = first((x, x))
        for block in blocks:
            stacks = block(stacks)
        return stacks[which]

    drawn = fields.gated_layer((fields.itself(*shape),) * 2, sizes[0], first=True)
    for size in sizes[1:]:
        drawn = fields.gated_layer(drawn, size, first=False)
    inputs = np.random.default_rng(1).normal(size=(1, *shape, 3))
    for which in (0, 1):
        field = fields.by_gradient(lambda x: stack(x, which), inputs)
        np.testing.assert_array_equal(field, drawn[which])
    assert not (drawn[1] & ~fields.earlier(*shape)).any(), "an output sees the future"


@pytest.mark.parametrize("kernel_size, conditional", [(3, True), (5, False)])
def test_rows_and_steps_equal_the_whole_map(kernel_size, conditional):
    height, width, batch, filters = 4, 5, 2, 3
    block = CausalResidualBlock(filters, 4, kernel_size, 2 if conditional else None)
    rng = np.random.default_rng(3)
    stacks = rng.normal(size=(2, batch, height, width, filters)).astype("float32")
    block.build([stacks.shape[1:]] * 2)
    labels = np.array([1, 0]) if conditional else None
    expected = [np.transpose(x, (1, 2, 0, 3)) for x in randomized(block)(stacks, labels=labels)]
    vertical, horizontal = np.transpose(stacks, (0, 2, 3, 1, 4))
    above, matrix = block.no_rows(width, batch), block.horizontal_matrix()
    condition = block.condition(labels, None)
    condition = condition[:, 0, 0] if conditional else None
    for row in range(height):
        above, output, inputs = block.vertical_row(above, vertical[row], condition)
        np.testing.assert_allclose(output, expected[0][row], rtol=1e-4, atol=1e-5)
        pending = block.no_columns(batch)
        for column in range(width):
            entry = [x[column] for x in inputs]
            x = horizontal[row, column]
            pending, output = block.horizontal_step(x, pending, entry, matrix)
            np.testing.assert_allclose(output, expected[1][row, column], rtol=1e-4, atol=1e-5)


def test_dropout_only_in_training():
    block = CausalResidualBlock(4, 6, 3, dropout=0.5)
    x = np.random.default_rng(4).normal(size=(1, 3, 3, 4)).astype("float32")
    block.build([x.shape] * 2)
    quiet = randomized(block)((x, x))
    for one, other, loud in zip(quiet, block((x, x), training=False), block((x, x), training=True)):
        np.testing.assert_array_equal(one, other)
        assert np.abs(loud - one).max() > 1e-3


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"kernel_size": 4}, "kernel_size"),
        ({"residual_filters": 0}, "residual_filters"),
        ({"dropout": 1.0}, "dropout"),
        ({"num_classes": 0}, "num_classes"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        CausalResidualBlock(
            **{"filters": 2, "residual_filters": 2, "kernel_size": 3, **arguments}
        )


def test_inputs_need_as_many_channels():
    with pytest.raises(ValueError, match="`filters`"):
        CausalResidualBlock(2, 2, 3).build([(None, 4, 4, 3)] * 2)
