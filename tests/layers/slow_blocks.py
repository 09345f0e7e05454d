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
