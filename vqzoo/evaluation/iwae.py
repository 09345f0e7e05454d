"""Importance-weighted bounds of the evidence, by several draws of q(z | x)."""

import numpy as np

from vqzoo.checks import checked_int, checked_seed
from vqzoo.progress import track


def iwae_bound(model, images, num_samples, labels=None, seed=0, batch_size=64):
    """log 1/S sum_s p(x, z_s) / q(z_s | x) of each image, with S hard draws of q(z | x).

    Equation 8 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020), from
    [Importance Weighted Autoencoders](https://arxiv.org/abs/1509.00519): its mean over draws is a
    lower bound of log p(x) that rises with S towards it, and for S = 1 the ELBO. Where codes are a
    function of the image all draws are the same and the bound equals the ELBO for every S; one
    pass is made then. A likelihood that is itself a bound, such as `DequantizedNormal`, stands in
    the place of p(x | z), and the limit is below log p(x) by what that one loses. No more than one
    draw of each image is held at a time.

    Args:
        model: `ZooModel`.
        images: uint8 `(batch, height, width, channels)` of the training size.
        num_samples: int, S; the first draws of a larger S are those of a smaller one, and that of
            S = 1 is the draw of `model.elbo`.
        labels, batch_size: as for `ZooModel.elbo`.
        seed: int in 0..2**32 - 1, of the draws.

    Returns:
        float64 `(batch,)`, nats.

    Raises:
        ValueError: if an argument has a wrong type, shape or range.
    """
    return iwae_bounds(model, images, [num_samples], labels, seed, batch_size)[0]


def iwae_bounds(model, images, numbers_of_samples, labels=None, seed=0, batch_size=64):
    """`iwae_bound` for several S at the price of the largest: float64 `(batch,)` of each, a list."""
    for number in numbers_of_samples:
        checked_int(number, "num_samples")
    checked_seed(seed)
    draws = max(numbers_of_samples) if model.autoencoder.stochastic else 1
    total, found = -np.inf, {}
    for draw in track(range(draws), draws, "draw of q(z | x)"):
        # Seeds have 64 bits, of which a user gives the lower half: the upper one counts draws.
        nats = model.elbo(images, labels, batch_size, seed + draw * 2**32)
        total = np.logaddexp(total, nats.astype("float64"))
        found[draw + 1] = total - np.log(draw + 1)
    return [found[min(number, draws)] for number in numbers_of_samples]
