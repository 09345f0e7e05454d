"""ELBO and bits per dimension, and the scale of the decoder's normal distribution."""

import math

import numpy as np

from vqzoo.models.likelihood_scale import best_scale, num_images_to_fit

def fit_scale(autoencoder, source, seed=0):
    """Maximum-likelihood scale of the normal p(x | z), one for all pixels, of draws of q(z | x).

    Args:
        autoencoder: as for `vqzoo.models.likelihood_scale.best_scale`.
        source: `vqzoo.data.ImageSource`; a seeded draw of its images, of two million values, is
            enough.
        seed: int.

    Returns:
        float, in grey levels.
    """
    count = min(len(source), num_images_to_fit(source[0]["image"].shape))
    indices = np.sort(np.random.default_rng(seed).choice(len(source), count, replace=False))
    return best_scale(autoencoder, source.take(indices)["image"], indices, seed)


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
