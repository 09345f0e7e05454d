import keras
import numpy as np
import pytest

from vqzoo.layers.map_checks import check_map, check_map_shape


@pytest.mark.parametrize("batch", [2, None])
def test_right_maps_pass(batch):
    check_map_shape((batch, None, 5, 4), 4, "inputs")
    check_map(keras.KerasTensor((batch, None, 5, 4), "bfloat16"), 4, "inputs")


@pytest.mark.parametrize("shape", [(), (4,), (5, 4), (2, 3, 5, 3), (1, 2, 3, 5, 4)])
def test_other_shapes_are_named(shape):
    with pytest.raises(ValueError, match=r"`inputs` must have the shape \(batch, height, "):
        check_map(np.zeros(shape, "float32"), 4, "inputs")


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_other_types_are_named(dtype):
    with pytest.raises(ValueError, match=f"`inputs` must hold floats. Received: {dtype}"):
        check_map(np.zeros((2, 3, 5, 4), dtype), 4, "inputs")
