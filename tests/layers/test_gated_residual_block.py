"""GatedResidualBlock: equal to its equation, each position for itself."""

import keras
import numpy as np
import pytest

from vqzoo.layers import GatedResidualBlock


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def slow_block(block, x, auxiliary=None):
    """The equation with NumPy, float64; any leading axes."""
    weight = {w.name: keras.ops.convert_to_numpy(w).astype("float64") for w in block.weights}
    hidden = elu(x) @ weight["hidden_kernel"] + weight["hidden_bias"]
    if auxiliary is not None:
        hidden = hidden + elu(auxiliary) @ weight["auxiliary_kernel"]
    gates = elu(hidden) @ weight["output_kernel"] + weight["output_bias"]
    p, q = gates[..., : x.shape[-1]], gates[..., x.shape[-1] :]
    return x + p / (1 + np.exp(-q))


def randomized(layer, seed=0):
    """Gives every weight, biases too, a random value."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return layer


@pytest.mark.parametrize("auxiliary_channels", [None, 2])
def test_equals_definition(auxiliary_channels):
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, 3, 4, 5)).astype("float32")]
    if auxiliary_channels:
        inputs.append(rng.normal(size=(2, 3, 4, 2)).astype("float32"))
    block = GatedResidualBlock(5, 3, auxiliary_channels)
    block.build(inputs[0].shape)
    expected = slow_block(randomized(block), *inputs)
    np.testing.assert_allclose(block(*inputs), expected, rtol=1e-4, atol=1e-5)
    row = [x[0, 0] for x in inputs]
    np.testing.assert_allclose(block.step(*row), expected[0, 0], rtol=1e-4, atol=1e-5)


def test_starts_near_the_identity():
    block = GatedResidualBlock(64, 64)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 64)).astype("float32")
    change = np.asarray(block(x)) - x
    assert 0.005 < change.std() < 0.1  # 0.04 is expected of a tenth of the usual start


def test_dropout_only_in_training():
    block = GatedResidualBlock(4, 6, dropout=0.5)
    x = np.random.default_rng(4).normal(size=(1, 3, 3, 4)).astype("float32")
    block.build(x.shape)
    quiet = randomized(block)(x)
    np.testing.assert_array_equal(quiet, block(x, training=False))
    assert np.abs(block(x, training=True) - quiet).max() > 1e-3


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"filters": 0}, "filters"),
        ({"residual_filters": 0}, "residual_filters"),
        ({"auxiliary_channels": 0}, "auxiliary_channels"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        GatedResidualBlock(**{"filters": 2, "residual_filters": 2, **arguments})


def test_an_auxiliary_input_is_needed_or_refused():
    x = np.ones((1, 2, 2, 2), "float32")
    with pytest.raises(ValueError, match="`auxiliary` must be given"):
        GatedResidualBlock(2, 2, 2)(x)
    with pytest.raises(ValueError, match="`auxiliary` must be None"):
        GatedResidualBlock(2, 2)(x, x)
