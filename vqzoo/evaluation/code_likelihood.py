"""How well a prior predicts codes, beside models that only count."""

import math

import numpy as np

from vqzoo.evaluation.simple_models import simple_model_nats

SIMPLE = ("uniform", "independent", "markov")
"""The models of which `gain_over_best` takes the best."""


def prior_log_probs(prior, latents, labels):
    """log p(z) of each image in nats, float64 `(images,)`; arguments as for `level_log_probs`."""
    return level_log_probs(prior, latents, labels).sum(axis=0)


def level_log_probs(prior, latents, labels):
    """The terms of log p(z) of each image in nats, given its label by a conditional prior.

    Args:
        prior: has `log_prob(latents, labels)` and `num_classes`, and if it tells levels apart
            `level_log_probs(latents, labels)`.
        latents: list of arrays `(images, *shape)`, one for each level.
        labels: int array `(images,)`, or None: then a conditional prior is averaged over classes.

    Returns:
        float64 `(terms, images)`: a row for each level given the coarser ones, or one for all.
    """
    labels = None if prior.num_classes is None else labels
    if hasattr(prior, "level_log_probs"):
        return prior.level_log_probs(latents, labels)
    return np.asarray(prior.log_prob(latents, labels), "float64")[None]


def code_scores(prior, encoded, codebook_sizes, train=None, seed=0):
    """Test negative log-likelihood of codes under a prior and under simple models.

    Args:
        prior: as for `level_log_probs`.
        encoded: `EncodedSource` of the test images; its labels are given to a conditional prior.
        codebook_sizes: list of int, one for each level.
        train: `EncodedSource` of the training images, on which the simple models are counted, or
            None to leave these out.
        seed: int, as for `simple_model_nats`.

    Returns:
        `(log_probs, scores)`: float64 `(images,)`, log p(z) in nats, and a dict with
        `nats_per_code`, `bits_per_code` and `bits_per_image`; for a conditional prior
        `bits_per_code_without_labels`, an upper bound that pays for the label, since
        p(z) >= p(z | label) / classes; with `train` also `uniform_bits_per_code`,
        `independent_bits_per_code`, `markov_bits_per_code`, the name `best_simple_model` of the
        best of these three, `gain_over_best` = 1 - bits / best bits, the same beside a model
        that counts pairs for each position, `markov_by_position_bits_per_code` and
        `gain_over_markov_by_position`, and both gains once more with the suffix
        `_without_labels`. Of a prior that tells several levels apart `codes_0`, ... hold the same
        for each level given the coarser ones, but for what has this suffix.
    """
    rows = level_log_probs(prior, encoded.draws, encoded.labels)
    counts = [math.prod(level.shape[1:]) for level in encoded.latents]
    scores = bits_of(rows.sum(axis=0), sum(counts))
    if prior.num_classes is not None and encoded.labels is not None:
        label_bits = math.log2(prior.num_classes) / sum(counts)
        scores["bits_per_code_without_labels"] = scores["bits_per_code"] + label_bits
    levels = [bits_of(row, count) for row, count in zip(rows, counts)] if len(rows) > 1 else []
    if train is not None:
        pairs = zip(train.draws, encoded.draws, codebook_sizes, strict=True)
        nats = [simple_model_nats(*pair, seed=seed) for pair in pairs]
        scores |= _comparison(scores, nats, sum(counts))
        for i, level in enumerate(levels):
            level |= _comparison(level, nats[i : i + 1], counts[i])
    return rows.sum(axis=0), scores | {f"codes_{i}": level for i, level in enumerate(levels)}


def bits_of(log_probs, num_codes):
    """`nats_per_code`, `bits_per_code` and `bits_per_image` of log p in nats `(images,)`."""
    nats = float(-np.mean(log_probs) / num_codes)
    bits = nats / math.log(2)
    return {"nats_per_code": nats, "bits_per_code": bits, "bits_per_image": bits * num_codes}


def _comparison(scores, nats, num_codes):
    """The bits per code of the simple models, and the prior's gain over the best of them.

    `nats` is a list of what `simple_model_nats` gives, of levels with `num_codes` codes in all.
    """
    scale = 1 / (num_codes * math.log(2))
    simple = {name: sum(level[name] for level in nats) * scale for name in nats[0]}
    best = min(SIMPLE, key=simple.get)
    found = {f"{name}_bits_per_code": bits for name, bits in simple.items()}
    found["best_simple_model"] = best
    for suffix in ("", "_without_labels"):
        if f"bits_per_code{suffix}" in scores:
            for rival, name in (("best", best), ("markov_by_position", "markov_by_position")):
                gain = 1 - scores[f"bits_per_code{suffix}"] / simple[name]
                found[f"gain_over_{rival}{suffix}"] = gain
    return found
