"""GatedConvBlock: equal to its equations, near the identity at first, one position as the map."""

import keras
import numpy as np
import pytest
from tests.layers.slow_blocks import randomized, slow_gated_conv

from vqzoo.layers import GatedConvBlock


def maps(channels=5):
    """Inputs of three channels and auxiliary ones."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 5, 4, size)).astype("float32") for size in (3, channels)]


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("auxiliary_channels", [None, 5])
def test_equals_definition(kernel_size, auxiliary_channels):
    inputs = maps() if auxiliary_channels else maps()[:1]
    block = GatedConvBlock(3, 6, kernel_size, auxiliary_channels, dropout=0.5)
    block.build(inputs[0].shape)
    outputs = keras.ops.convert_to_numpy(randomized(block)(*inputs))
    expected = [slow_gated_conv(block, *images) for images in zip(*inputs)]
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-4)  # sums of 27 products
    if kernel_size == 1:
        step = block.step(*(x[:, 2, 1] for x in inputs))
        np.testing.assert_allclose(step, outputs[:, 2, 1], rtol=1e-5, atol=1e-5)


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


def test_an_auxiliary_input_is_needed_or_refused():
    inputs, auxiliary = maps()
    with pytest.raises(ValueError, match="`auxiliary` must be given"):
        GatedConvBlock(3, 2, auxiliary_channels=5)(inputs)
    with pytest.raises(ValueError, match="`auxiliary` must be None"):
        GatedConvBlock(3, 2)(inputs, auxiliary)


@pytest.mark.parametrize("name", ["filters", "residual_filters", "kernel_size"])
def test_errors_name_the_argument(name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        GatedConvBlock(**{"filters": 2, "residual_filters": 2, name: 0})
