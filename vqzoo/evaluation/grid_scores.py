"""What one cell of a grid is worth; `docs/numbers.md` defines every number."""

import dataclasses
import math

import numpy as np
from keras import ops

from vqzoo.data.subset import evenly_spaced
from vqzoo.evaluation.code_likelihood import prior_log_probs
from vqzoo.evaluation.codebook import codebook_scores, usage_counts
from vqzoo.evaluation.encoding import autoencode_source, encode_source
from vqzoo.evaluation.evaluate import FEWEST
from vqzoo.evaluation.feature_scores import collect, collect_source
from vqzoo.evaluation.frechet import frechet_distance
from vqzoo.evaluation.image_likelihood import image_scores
from vqzoo.evaluation.iwae import iwae_bounds
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.evaluation.samples import decoded_batches
from vqzoo.sampling.noise import POSTERIOR_STREAM, gumbel_noise, image_keys

RARE = 1e-4
"""Share of all codes below which a code counts as not used."""

FINAL_TEMPERATURE = 0.1
"""Of relaxed samples at the end of training."""

SHOWN = 100
"""Maps of codes of each kind where they are for pictures alone."""

SEED = 0
"""Of all draws on which a cell is scored."""


@dataclasses.dataclass(frozen=True)
class Effort:
    """How many images a cell is scored on, at most, evenly spaced over the test images.

    Attributes:
        images: int, of them for all scores but those that `few` and the usage of codes rest on.
        few: int, of these for the bound by most draws.
        samples: int, samples and other decoded codes that are compared with test images.
    """

    images: int = 2000
    few: int = 500
    samples: int = 2000


DRAWS, MANY_DRAWS = (1, 10), (1, 10, 100)
"""Draws of q(z | x) for the bounds, on `Effort.images` and on `Effort.few`."""


def cell_scores(model, test, effort, network=None):
    """All scores of a cell.

    Args:
        model: `ZooModel` with one map of codes, trained.
        test: `vqzoo.data.ImageSource`.
        effort: `Effort`.
        network: `FeatureNetwork`, or None: then, and with fewer than 1,000 images or samples,
            there are no distances.

    Returns:
        Pair of a dict of numbers, dicts of them and a list, `usage_counts`; and the maps of codes
        that were decoded, as `code_sets` gives them.
    """
    images, few = (evenly_spaced(test, most) for most in (effort.images, effort.few))
    encoded = autoencode_source(model.autoencoder, images, "scoring test images", SEED)
    scores = {
        "bits_per_dim": bound_scores(model, images, DRAWS),
        "bits_per_dim_of_few": bound_scores(model, few, MANY_DRAWS),
        "images": {"test": len(test), "bounds": len(images), "bounds_of_few": len(few)},
        **bound_parts(model, encoded),
        **reconstruction_scores(encoded, math.prod(model.autoencoder.image_shape)),
        **usage_scores(model.autoencoder, test),
    }
    if model.autoencoder.stochastic:
        scores["largest_weight"] = largest_weight(model.autoencoder, images)
    compares = network is not None and min(len(images), effort.samples) >= FEWEST
    codes = code_sets(model, encoded.latents[0], effort.samples if compares else SHOWN)
    if compares:
        scores["fid"] = {"network": network.name, **distances(network, model, codes, test)}
    parts = {"autoencoder": model.autoencoder, "prior": model.prior}
    scores["parameters"] = {name: part.count_params() for name, part in parts.items()}
    return scores, codes


def bound_scores(model, images, numbers_of_draws):
    """The importance-weighted bound in bits per dimension, by the number of draws.

    Args:
        model: `ZooModel`.
        images: `ImageSource`.
        numbers_of_draws: sequence of int.

    Returns:
        dict of dicts `mean` and `standard_error`, over images, by str of the number of draws.
    """
    pixels = images.take(np.arange(len(images)))["image"]
    per_bit, found = -1 / (math.prod(pixels.shape[1:]) * math.log(2)), {}
    bounds = iwae_bounds(model, pixels, numbers_of_draws, seed=SEED)
    for count, nats in zip(numbers_of_draws, bounds, strict=True):
        bits = nats * per_bit
        error = bits.std(ddof=1) / math.sqrt(len(bits)) if len(bits) > 1 else math.nan
        found[str(count)] = {"mean": float(bits.mean()), "standard_error": float(error)}
    return found


def bound_parts(model, encoded):
    """What the bound of one draw is made of.

    Args:
        model: `ZooModel`.
        encoded: `vqzoo.evaluation.encoding.EncodedSource`.

    Returns:
        dict: `decoder_bits_per_dim` and `kl_bits_per_dim`, whose sum the bound is; `kl_per_code`,
        the mean of log q(z | x) - log p(z) over images and codes, in nats; `scale` of the
        likelihood in grey levels.
    """
    num_values = math.prod(model.autoencoder.image_shape)
    log_probs = prior_log_probs(model.prior, encoded.draws, None)
    parts = image_scores(encoded, log_probs, num_values, model.autoencoder)
    kl = float(np.mean(encoded.log_posteriors - log_probs))
    return {
        "decoder_bits_per_dim": parts["decoder_bits_per_dim"],
        "kl_bits_per_dim": parts["prior_bits_per_dim"],
        "kl_per_code": kl / encoded.draws[0][0].size,
        "scale": parts["likelihood_scale"],
    }


def usage_scores(autoencoder, test):
    """Which codes are drawn from q(z | x), over all test images.

    Returns:
        dict: `perplexity`; `rare_codes`, the share of the codebook whose codes are each less than
        1e-4 of all draws; `usage_counts`, a list of int, how often each code was drawn.
    """
    (draws,) = encode_source(autoencoder, test, "encoding test images", SEED).draws
    (size,) = autoencoder.codebook_sizes
    counts = usage_counts(draws, size)
    return {
        "perplexity": codebook_scores(draws, size)["perplexity"],
        "rare_codes": float(np.mean(counts < RARE * counts.sum())),
        "usage_counts": counts.tolist(),
    }


def largest_weight(autoencoder, images, temperature=FINAL_TEMPERATURE, batch_size=64):
    """How close to one-hot relaxed samples of the posterior are: mean of the largest weight, float.

    Section 3.2 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020) calls
    samples at the last temperature close enough to one-hot. It is 1 for one-hot samples, and 0.930
    for 256 equally likely codes at the temperature 0.1.

    Args:
        autoencoder: `DiscreteVAE` with a posterior that draws.
        images: `ImageSource`.
        temperature: float above 0.
        batch_size: int, images at a time.
    """
    largest = []
    for start in range(0, len(images), batch_size):
        rows = np.arange(start, min(start + batch_size, len(images)))
        features = autoencoder.encoder.predict_on_batch(images.take(rows)["image"])
        log_probs = ops.convert_to_numpy(autoencoder.bottleneck.log_probs(features))
        _, height, width, size = log_probs.shape
        keys = image_keys(SEED, rows, POSTERIOR_STREAM)
        noise = gumbel_noise(keys, np.arange(height * width, dtype="int32"), size)
        noise = ops.convert_to_numpy(noise).transpose(1, 0, 2).reshape(log_probs.shape)
        perturbed = (log_probs + noise) / temperature
        # The softmax of the largest one, without the exponent of any that might overflow.
        excess = perturbed - perturbed.max(axis=-1, keepdims=True)
        largest.append(1 / np.exp(excess).sum(axis=-1).ravel())
    return float(np.concatenate(largest).mean(dtype="float64"))


def code_sets(model, codes, count):
    """Maps of codes from everywhere, for what they decode to.

    Section 1 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020): all but
    few codes decode to no natural image, which is why the prior matters.

    Args:
        model: `ZooModel`.
        codes: int32 `(images, h, w)`, of test images.
        count: int, maps of each kind but the last.

    Returns:
        dict of int32 arrays `(count, h, w)`: `uniform_codes`, each code drawn uniformly;
        `codes_between_images`, at each position that of a test image, in turn, or that of another;
        `samples` of the prior; and `reconstructions`, `codes` as they are.
    """
    generator = np.random.default_rng(SEED)
    (size,), shape = model.autoencoder.codebook_sizes, codes.shape[1:]
    first = np.arange(count) % len(codes)
    # Never the image itself, unless there is no other.
    other = (first + generator.integers(1, max(len(codes), 2), count)) % len(codes)
    chosen = generator.random((count, *shape)) < 0.5
    return {
        "uniform_codes": generator.integers(size, size=(count, *shape), dtype="int32"),
        "codes_between_images": np.where(chosen, codes[first], codes[other]),
        "samples": model.prior.sample(count, seed=SEED)[0],
        "reconstructions": codes,
    }


def distances(network, model, codes, test):
    """Frechet distance from test images of what codes decode to: dict of float.

    Args:
        network: `FeatureNetwork`.
        model: `ZooModel`.
        codes: dict of int32 arrays `(images, h, w)`.
        test: `ImageSource`.
    """
    reference = collect_source(network, test).moments
    found = {}
    for name, maps in codes.items():
        decoded = collect(network, decoded_batches(model, [maps]), len(maps))
        found[name] = frechet_distance(decoded.moments, reference)
    return found
