import keras
import numpy as np

from vqzoo.layers.gated_conv_block import GatedConvBlock


def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def slow_block(image, kernels, biases):
    """One pixel at a time: image `(height, width, filters)`, kernels of 3x3 and 1x1 pixels."""
    height, width, filters = image.shape
    padded = np.pad(elu(image), ((1, 1), (1, 1), (0, 0)))
    output = np.array(image, "float64")
    for y, x in np.ndindex(height, width):
        window = padded[y : y + 3, x : x + 3, :, None]
        hidden = elu((window * kernels[0]).sum(axis=(0, 1, 2)) + biases[0])
        gates = hidden @ kernels[1][0, 0] + biases[1]
        output[y, x] += gates[:filters] / (1 + np.exp(-gates[filters:]))
    return output


def test_equals_definition():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 5, 4, 3)).astype("float32")
    block = GatedConvBlock(filters=3, residual_filters=6, dropout=0.5)
    block.build(images.shape)
    weights = [rng.normal(size=weight.shape).astype("float32") for weight in block.weights]
    block.set_weights(weights)
    expected = [slow_block(image, weights[::2], weights[1::2]) for image in images]
    output = keras.ops.convert_to_numpy(block(images))
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-4)  # sums of 27 products


def test_it_starts_close_to_the_identity():
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 32)).astype("float32")
    change = keras.ops.convert_to_numpy(GatedConvBlock(32, 32)(images)) - images
    # with Glorot's scale for both convolutions it is about 0.3 of the input's spread
    assert 0 < change.std() < 0.1 * images.std()


def test_dropout_is_for_training_alone():
    keras.utils.set_random_seed(0)
    images = np.ones((1, 4, 4, 2), "float32")
    block = GatedConvBlock(2, 64, dropout=0.5)
    rest, training = block(images), block(images, training=True)
    np.testing.assert_array_equal(rest, block(images, training=False))
    assert np.abs(training - rest).max() > 0
