import keras
import numpy as np
import pytest

from vqzoo.networks import ConditioningStack


def random_maps(*shapes, size=3):
    rng = np.random.default_rng(0)
    return [rng.integers(0, size, (2, *shape), dtype="int32") for shape in shapes]


def test_equals_definition_without_blocks():
    """Vectors of the codes, each repeated to the finer map's size, side by side, then one conv."""
    stack = ConditioningStack([3, 4, 5], filters=2, num_blocks=0)
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=weight.shape).astype("float32") for weight in stack.weights]
    stack.set_weights(weights)
    *tables, kernel, bias = weights
    codes = random_maps((1, 2), (2, 4), (4, 8))
    features = keras.ops.convert_to_numpy(stack(codes))
    assert features.shape == (2, 8, 16, 2)
    for image, y, x in np.ndindex(2, 8, 16):
        expected = bias.astype("float64")
        for dy, dx in np.ndindex(3, 3):
            row, column = y // 2 + dy - 1, x // 2 + dx - 1
            if 0 <= row < 4 and 0 <= column < 8:
                seen = [
                    table[level[image, row // step, column // step]]
                    for level, table, step in zip(codes, tables, (4, 2, 1))
                ]
                expected = expected + np.concatenate(seen) @ kernel[dy, dx]
        np.testing.assert_allclose(features[image, y, x], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("height, width", [(1, 1), (5, 9)])
def test_any_size_and_every_block_reaches_one_code_further(height, width):
    stack = ConditioningStack([3], filters=4, residual_filters=3, num_blocks=2)
    (codes,) = random_maps((height, width))
    features = keras.ops.convert_to_numpy(stack([codes]))
    assert features.shape == (2, 2 * height, 2 * width, 4)
    changed = codes.copy()
    changed[:, 0, 0] = (changed[:, 0, 0] + 1) % 3
    moved = np.abs(keras.ops.convert_to_numpy(stack([changed])) - features).max(axis=(0, 3)) > 0
    reach = np.zeros((2 * height, 2 * width), bool)
    reach[:8, :8] = True  # one code for itself and one for each of three convolutions, doubled
    np.testing.assert_array_equal(moved, reach)


def test_dropout_is_for_training_alone():
    keras.utils.set_random_seed(0)
    stack = ConditioningStack([3], filters=4, residual_filters=32, num_blocks=1, dropout=0.5)
    codes = random_maps((3, 3))
    np.testing.assert_array_equal(stack(codes), stack(codes))
    assert np.abs(stack(codes, training=True) - stack(codes)).max() > 0


def test_config_gives_the_same_network():
    stack = ConditioningStack([3, 4], filters=5, residual_filters=6, num_blocks=1, dropout=0.1)
    again = ConditioningStack.from_config(stack.get_config())
    assert again.get_config() == stack.get_config()
    again.set_weights(stack.get_weights())
    codes = random_maps((2, 3), (4, 6))
    np.testing.assert_array_equal(again(codes), stack(codes))


@pytest.mark.parametrize(
    "name, value",
    [("num_embeddings", []), ("num_embeddings", 3), ("filters", 0), ("num_blocks", -1)],
)
def test_wrong_arguments_are_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        ConditioningStack(**{"num_embeddings": [3], name: value})
