"""Gated blocks in NumPy, and weights that let every one of their terms count."""

import keras
import numpy as np


def randomized(layer, seed=0):
    """The layer, every weight of which, biases too, has got a random value."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return layer


def elu(x):
    """x above 0, exp(x) - 1 below."""
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def gated(x):
    """The first half of the channels times sigmoid of the second."""
    half = x.shape[-1] // 2
    return x[..., :half] / (1 + np.exp(-x[..., half:]))


def slow_gated_conv(block, image, auxiliary=None):
    """`GatedConvBlock` one pixel at a time: maps `(height, width, channels)`."""
    kernel, bias, *rest = (keras.ops.convert_to_numpy(w).astype("float64") for w in block.weights)
    half = len(kernel) // 2
    padded = np.pad(elu(image), ((half, half), (half, half), (0, 0)))
    output = np.array(image, "float64")
    for y, x in np.ndindex(image.shape[:2]):
        window = padded[y : y + len(kernel), x : x + len(kernel), :, None]
        hidden = (window * kernel).sum(axis=(0, 1, 2)) + bias
        if auxiliary is not None:
            hidden = hidden + elu(auxiliary[y, x]) @ rest[0]
        output[y, x] += gated(elu(hidden) @ rest[-2][0, 0] + rest[-1])
    return output


def slow_shifted_conv(layer, image):
    """`ShiftedConv2D` without strides, one pixel at a time: maps `(height, width, channels)`."""
    kernel, bias = (keras.ops.convert_to_numpy(w).astype("float64") for w in layer.weights)
    rows, columns = kernel.shape[:2]
    vertical, (height, width) = layer.stack == "vertical", image.shape[:2]
    output = np.zeros((height, width, len(bias))) + bias
    for y, x in np.ndindex(height, width):
        for dy, dx in np.ndindex(rows, columns):
            v = y + dy - (rows - 1) - (layer.first and vertical)
            u = x + dx - (columns // 2 if vertical else columns - 1 + layer.first)
            if 0 <= v and 0 <= u < width:
                output[y, x] += image[v, u] @ kernel[dy, dx]
    return output


def slow_shifted_block(block, stacks, skips=None, condition=0.0):
    """`ShiftedResidualBlock` on maps `(height, width, filters)`."""

    def concat_elu(x):
        return elu(np.concatenate([x, -x], axis=-1))

    def dense(layer, x):
        return concat_elu(x) @ keras.ops.convert_to_numpy(layer.kernel)

    outputs = []
    for place, stack in enumerate(("vertical", "horizontal")):
        hidden = slow_shifted_conv(block.inner[stack], concat_elu(stacks[place]))
        if outputs:
            hidden = hidden + dense(block.from_vertical, outputs[0])
        if skips is not None:
            hidden = hidden + dense(block.from_skip[stack], skips[place])
        gates = slow_shifted_conv(block.outer[stack], concat_elu(hidden)) + condition
        outputs.append(stacks[place] + gated(gates))
    return outputs
