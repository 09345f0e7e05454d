"""The scale of a normal likelihood, fitted to a trained autoencoder's errors."""

import math

import numpy as np
from keras import ops

from vqzoo.models.autoencoder import to_grey_levels
from vqzoo.sampling.batches import even_batches

FIT_VALUES = 2_000_000
"""Pixel values on which the scale is fitted: it is known to about one part in 1,000 from them."""

SMALLEST_SCALE, LARGEST_SCALE = 2.0**-6, 2.0**9  # grey levels


def num_images_to_fit(image_shape):
    """How many images of (height, width, channels) hold enough values: int, 1 or more."""
    return max(1, FIT_VALUES // math.prod(image_shape))


def best_scale(autoencoder, images, indices, seed=0):
    """Maximum-likelihood scale of the normal p(x | z), one for all pixels, of draws of q(z | x).

    Args:
        autoencoder: has `posterior`, `decoder_model` and `likelihood`, of a mean and a scale.
        images: uint8 `(batch, height, width, channels)`.
        indices, seed: as for `Autoencoder.posterior`.

    Returns:
        float, in grey levels.
    """
    pairs = []
    for rows in even_batches(len(images), 256):
        _, draws, _ = autoencoder.posterior(images[rows], seed, indices[rows])
        output = np.asarray(autoencoder.decoder_model.predict_on_batch(draws))
        pairs.append((images[rows], to_grey_levels(output)))

    def log_likelihood(log_scale):
        scale = math.exp(log_scale)
        return sum(float(ops.sum(autoencoder.likelihood.log_prob(*pair, scale))) for pair in pairs)

    return math.exp(_maximum(log_likelihood, math.log(SMALLEST_SCALE), math.log(LARGEST_SCALE)))


def _maximum(function, start, end, tolerance=1e-4):
    """Argument in start..end of the highest value: first on a grid, then by golden section."""
    grid = np.linspace(start, end, 16)
    best = int(np.argmax([function(point) for point in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
