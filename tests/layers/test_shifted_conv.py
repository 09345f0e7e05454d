"""ShiftedConv2D: equals its definition, sees what it may."""

import keras
import numpy as np
import pytest

from tests.layers import receptive_field as fields
from tests.layers.slow_blocks import randomized, slow_shifted_conv
from vqzoo.layers import ShiftedConv2D

WINDOWS = [((2, 3), "vertical"), ((2, 2), "horizontal")]
WINDOWS += [((1, 3), "vertical"), ((2, 1), "horizontal")]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel_size, stack", WINDOWS)
def test_equals_definition(kernel_size, stack, strides, first):
    layer = ShiftedConv2D(3, kernel_size, stack, first, strides=strides)
    image = np.random.default_rng(0).normal(size=(1, 5, 4, 2)).astype("float32")
    layer.build(image.shape)
    randomized(layer)
    output = keras.ops.convert_to_numpy(layer(image))[0]
    expected = slow_shifted_conv(layer, image[0])[::strides, ::strides]
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape(image.shape) == (1, *output.shape)


@pytest.mark.parametrize("stack", ["vertical", "horizontal"])
def test_the_first_layer_hides_the_current_pixel(stack):
    layer = ShiftedConv2D(2, (2, 3), stack, first=True, dtype="float64")
    field = fields.by_gradient(layer, np.zeros((1, 4, 5, 2)))
    assert field.any() and not (field & ~fields.earlier(4, 5)).any()


@pytest.mark.parametrize("arguments", [{"stack": "down"}, {"first": 1}, {"kernel_size": (2, 2)}])
def test_errors_name_the_argument(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
        ShiftedConv2D(**{"filters": 2, "kernel_size": (2, 3), "stack": "vertical", **arguments})
