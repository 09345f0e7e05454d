"""MaskedConv2D: its definition, its receptive field, its promises as a Keras layer."""

import keras
import numpy as np
import pytest
from tests.layers import receptive_field as fields

from vqzoo.layers import MaskedConv2D


def slow_masked_conv(image, kernel, mask_type):
    """One output pixel at a time: image `(height, width, c)`, kernel `(k, k, c, filters)`."""
    height, width, _ = image.shape
    half, output = len(kernel) // 2, np.zeros((height, width, kernel.shape[-1]))
    for y, x in np.ndindex(height, width):
        for dy, dx in np.ndindex(kernel.shape[:2]):
            v, u = y + dy - half, x + dx - half
            seen = (v, u) < (y, x) or ((v, u) == (y, x) and mask_type == "B")
            if seen and v >= 0 and 0 <= u < width:
                output[y, x] += image[v, u] @ kernel[dy, dx]
    return output


@pytest.mark.parametrize("mask_type", ["A", "B"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_equals_definition(mask_type, kernel_size):
    image = np.random.default_rng(0).normal(size=(1, 5, 4, 2)).astype("float32")
    layer = MaskedConv2D(3, kernel_size, mask_type, use_bias=False)
    output = layer(image)[0]  # the first call builds the kernel
    expected = slow_masked_conv(image[0], keras.ops.convert_to_numpy(layer.kernel), mask_type)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_gradient_support_is_the_drawn_field(shape):
    inputs = np.random.default_rng(1).normal(size=(1, *shape, 2))
    first = MaskedConv2D(2, 3, "A", dtype="float64")
    second = MaskedConv2D(2, 3, "B", dtype="float64")
    itself = fields.itself(*shape)
    drawn = fields.union(itself, [-1], [-1, 0, 1]) | fields.union(itself, [0], [-1])
    np.testing.assert_array_equal(fields.by_gradient(first, inputs), drawn)
    drawn_twice = fields.union(drawn, [-1], [-1, 0, 1]) | fields.union(drawn, [0], [-1, 0])
    both = fields.by_gradient(lambda x: second(first(x)), inputs)
    np.testing.assert_array_equal(both, drawn_twice)
    assert not (both & ~fields.earlier(*shape)).any()


def test_weights_under_the_mask_get_no_gradient_and_stay_out_when_set():
    image = np.random.default_rng(2).normal(size=(1, 4, 4, 1)).astype("float32")
    layer = MaskedConv2D(1, 3, "A", use_bias=False)
    before = keras.ops.convert_to_numpy(layer(image))
    kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
    kernel[1, 1:] = kernel[2] = 1e6
    layer.kernel.assign(kernel)
    np.testing.assert_array_equal(layer(image), before)


def test_configuration_round_trip():
    layer = MaskedConv2D(3, (3, 5), "A", activation="relu", name="masked")
    config = layer.get_config()
    again = MaskedConv2D.from_config(config)
    assert again.get_config() == config
    assert (again.mask_type, again.kernel_size, again.padding) == ("A", (3, 5), "same")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_computes_in_the_policy_s_type(policy):
    layer = MaskedConv2D(3, 3, dtype=policy)
    output = layer(np.ones((1, 3, 4, 2), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(layer.kernel.dtype) == "float32"


@pytest.mark.parametrize(
    "arguments, named",
    [({"kernel_size": 4}, "kernel_size"), ({"kernel_size": 3, "mask_type": "C"}, "mask_type")],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        MaskedConv2D(2, **arguments)
