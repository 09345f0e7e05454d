"""ELBO and bits per dimension, and the scale of the decoder's normal distribution."""

import math

import numpy as np
from keras import ops

FIT_VALUES = 2_000_000
"""Pixel values on which the scale is fitted: it is known to about one part in 1,000 from them."""

SMALLEST_SCALE, LARGEST_SCALE = 2.0**-6, 2.0**9  # grey levels


def fit_scale(autoencoder, source, seed=0):
    """Maximum-likelihood scale of the normal p(x | z), one for all pixels, of draws of q(z | x).

    Args:
        autoencoder: has `posterior`, `decoder_model` and `likelihood`, of a mean and a scale.
        source: `vqzoo.data.ImageSource`; a seeded draw of its images, of two million values, is
            enough.
        seed: int.

    Returns:
        float, in grey levels.
    """
    values_per_image = math.prod(source[0]["image"].shape)
    count = min(len(source), max(1, FIT_VALUES // values_per_image))
    indices = np.random.default_rng(seed).choice(len(source), count, replace=False)
    images, means = [], []
    for rows in np.array_split(np.sort(indices), math.ceil(count / 256)):
        batch = source.take(rows)["image"]
        _, draws, _ = autoencoder.posterior(batch, seed, rows)
        output = autoencoder.decoder_model.predict_on_batch(draws)
        images.append(batch)
        means.append((np.asarray(output) + 1) * 127.5)

    def log_likelihood(log_scale):
        scale = math.exp(log_scale)
        pairs = zip(images, means, strict=True)
        return sum(float(ops.sum(autoencoder.likelihood.log_prob(*pair, scale))) for pair in pairs)

    return math.exp(_maximum(log_likelihood, math.log(SMALLEST_SCALE), math.log(LARGEST_SCALE)))


def image_scores(encoded, prior_log_probs, num_values, autoencoder):
    """ELBO and bits per dimension of a data source.

    The bound is log p(x | z) + log p(z) - log q(z | x), whose last term is 0 where codes are a
    function of the image. Of a model without latents it is log p(x) itself.

    Args:
        encoded: `EncodedSource` with `log_likelihoods` and `log_posteriors`.
        prior_log_probs: float array `(images,)`, log p(z) in nats, of the same draws z.
        num_values: int, pixel values of an image, height x width x channels.
        autoencoder: has `latent_shapes`, `likelihood` and `likelihood_scale`.

    Returns:
        dict: `elbo_nats_per_image`; `bits_per_dim`, -ELBO / (num_values ln 2), and with latents its
        parts `prior_bits_per_dim`, that of log p(z) - log q(z | x), and `decoder_bits_per_dim`, of
        which a likelihood over other values than grey levels changes the names; `kind`, "bound",
        the true figure is at most this, or "exact"; `likelihood_scale`, in grey levels, if there is
        one.
    """
    prior = float(np.mean(prior_log_probs - encoded.log_posteriors))
    decoder = float(np.mean(encoded.log_likelihoods))
    per_bit, unit = -1 / (num_values * math.log(2)), autoencoder.likelihood.unit
    scores = {
        "elbo_nats_per_image": prior + decoder,
        f"bits_per_{unit}": (prior + decoder) * per_bit,
        "kind": "bound" if autoencoder.latent_shapes else "exact",
    }
    if autoencoder.latent_shapes:
        scores[f"prior_bits_per_{unit}"] = prior * per_bit
        scores[f"decoder_bits_per_{unit}"] = decoder * per_bit
    if autoencoder.likelihood_scale is not None:
        scores["likelihood_scale"] = float(autoencoder.likelihood_scale)
    return scores


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
