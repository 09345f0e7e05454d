import keras
import numpy as np
import pytest

from vqzoo.layers.residual_block import ResidualBlock


def slow_residual_block(image, kernels, biases):
    """One pixel at a time: image `(height, width, filters)`, kernels of 3x3 and 1x1 pixels."""
    height, width, _ = image.shape
    padded = np.pad(np.maximum(image, 0), ((1, 1), (1, 1), (0, 0)))
    output = np.array(image, "float64")
    for y, x in np.ndindex(height, width):
        window = padded[y : y + 3, x : x + 3, :, None]
        hidden = (window * kernels[0]).sum(axis=(0, 1, 2)) + biases[0]
        output[y, x] += np.maximum(hidden, 0) @ kernels[1][0, 0] + biases[1]
    return output


def test_equals_definition():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 5, 4, 3)).astype("float32")
    block = ResidualBlock(filters=3, residual_filters=6)
    block.build(images.shape)
    weights = [rng.normal(size=weight.shape).astype("float32") for weight in block.weights]
    block.set_weights(weights)
    kernels, biases = weights[::2], weights[1::2]
    expected = [slow_residual_block(image, kernels, biases) for image in images]
    output = keras.ops.convert_to_numpy(block(images))
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-4)  # sums of 27 products


def normalise(values, weights, moments):
    """Batch normalisation of `(..., channels)` from `gamma, beta` and `mean, variance`."""
    gamma, beta = weights
    mean, variance = moments
    return gamma * (values - mean) / np.sqrt(variance + 1e-5) + beta


def make_normalised_block(rng):
    """A block of random weights, its inputs, and what goes into its first normalisation."""
    images = rng.normal(size=(2, 5, 4, 3)).astype("float32")
    block = ResidualBlock(filters=3, residual_filters=6, batch_norm=True)
    block.build(images.shape)
    block.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in block.weights])
    return block, images, block.spatial(np.maximum(images, 0)).numpy()


def test_normalises_after_each_convolution_by_the_moving_statistics():
    block, images, hidden = make_normalised_block(np.random.default_rng(0))
    first, second = (
        [weight.numpy() for weight in norm.weights]
        for norm in (block.spatial_norm, block.pointwise_norm)
    )
    hidden = np.maximum(normalise(hidden, first[:2], first[2:]), 0)
    kernel, bias = (weight.numpy() for weight in block.pointwise.weights)
    change = normalise(hidden @ kernel[0, 0] + bias, second[:2], second[2:])
    np.testing.assert_allclose(block(images), images + change, rtol=1e-4, atol=1e-4)


def test_training_normalises_by_the_batch_and_alone_moves_the_statistics():
    block, images, hidden = make_normalised_block(np.random.default_rng(0))
    mean, variance = (weight.numpy() for weight in block.spatial_norm.weights[2:])
    before = block.get_weights()
    block(images)
    for weight, old in zip(block.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    moments = hidden.mean(axis=(0, 1, 2)), hidden.var(axis=(0, 1, 2))
    output = block(images, training=True)
    moved = [weight.numpy() for weight in block.spatial_norm.weights[2:]]
    # E[x^2] - E[x]^2 in float32 loses some digits.
    np.testing.assert_allclose(moved[0], 0.9 * mean + 0.1 * moments[0], rtol=1e-4)
    np.testing.assert_allclose(moved[1], 0.9 * variance + 0.1 * moments[1], rtol=1e-3)
    change = np.asarray(output) - images
    gamma, beta = (weight.numpy() for weight in block.pointwise_norm.weights[:2])
    np.testing.assert_allclose(change.mean(axis=(0, 1, 2)), beta, atol=1e-3)
    np.testing.assert_allclose(change.std(axis=(0, 1, 2)), gamma, rtol=1e-2)


def test_a_normalised_block_is_the_same_from_its_config():
    block, images, _ = make_normalised_block(np.random.default_rng(0))
    again = ResidualBlock.from_config(block.get_config())
    again.build(images.shape)
    again.set_weights(block.get_weights())
    np.testing.assert_array_equal(again(images), block(images))


def test_config_names_the_arguments_before_and_after_building():
    block = ResidualBlock(8, 4, name="block")
    config = block.get_config()
    assert (config["filters"], config["residual_filters"], config["name"]) == (8, 4, "block")
    block.build((None, 6, 6, 8))
    assert block.get_config() == config
    again = ResidualBlock.from_config(config)
    again.build((None, 6, 6, 8))
    assert [w.shape for w in again.weights] == [w.shape for w in block.weights]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_computes_in_the_dtype_of_its_policy(policy):
    block = ResidualBlock(4, 2, dtype=policy)
    output = block(np.ones((1, 4, 6, 4), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in block.weights} == {"float32"}


def test_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"`inputs` must have the shape .*8\). Received: \(1, 4, 4, 3\)"):
        ResidualBlock(8, 4)(np.zeros((1, 4, 4, 3), "float32"))
