"""Which inputs an output depends on: as drawn on squared paper, and by its gradient."""

import numpy as np
from keras import ops

from tests.gradients import gradients


def itself(height, width):
    """Every position sees itself: bool `(height, width, height, width)`, outputs first."""
    return np.eye(height * width, dtype=bool).reshape(height, width, height, width)


def union(field, rows, columns):
    """Field of a convolution over the given offsets, from the field of its input."""
    height, width = field.shape[:2]
    seen = np.zeros_like(field)
    for i, j in np.ndindex(height, width):
        for row in rows:
            for column in columns:
                if 0 <= i + row < height and 0 <= j + column < width:
                    seen[i, j] |= field[i + row, j + column]
    return seen


def gated_layer(stacks, kernel_size, first):
    """Fields of both stacks after one gated layer, residual unless it is the first."""
    vertical, horizontal = stacks
    half, last = kernel_size // 2, 0 if first else 1
    above = union(vertical, range(-half, last), range(-half, half + 1))
    left = union(horizontal, [0], range(-half, last))
    return above, above | left


def by_gradient(function, inputs):
    """Field of `function` by its gradient; `(1, height, width, channels)` in and out, float64.

    One copy of the input for each output position, so that one backward pass is enough.
    """
    height, width = inputs.shape[1:3]

    def chosen(copies):
        outputs = function(copies)
        # A projection, so that no two channels can cancel.
        weights = np.random.default_rng(7).uniform(1, 2, outputs.shape[-1])
        projected = ops.reshape(ops.sum(outputs * weights, axis=-1), (height * width, -1))
        return ops.diagonal(projected)

    (gradient,) = gradients(chosen, np.repeat(inputs, height * width, axis=0))
    return np.abs(gradient).sum(axis=-1).reshape(height, width, height, width) > 0


def earlier(height, width):
    """All positions before each one in raster order."""
    order = np.arange(height * width)
    return (order[None, :] < order[:, None]).reshape(height, width, height, width)
