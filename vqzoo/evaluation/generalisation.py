"""How much better a model does on the images that it was trained on."""

import math

import numpy as np

from vqzoo.data.subset import Subset
from vqzoo.evaluation.code_likelihood import bits_of, level_log_probs
from vqzoo.evaluation.encoding import autoencode_source
from vqzoo.evaluation.image_likelihood import image_scores
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.latents import are_codes

TRAIN_IMAGES = 2000
"""Training images that are scored, drawn by the seed: their means are known to about 2 %."""


def generalisation_scores(model, train, scores, seed=0):
    """Scores of training images beside those of test images, as in Table 1 of arXiv:1906.00446.

    Args:
        model: `ZooModel`.
        train: `vqzoo.data.ImageSource` that it was trained on; a seeded draw of it is scored.
        scores: dict, `reconstruction` and, for codes with a trained prior, `codes` of the test
            images, as `evaluate` gives them; without latents `images`.
        seed: int.

    Returns:
        dict: `train_images`, how many are scored; `train_mse` and `mse_gap`, that of the test
        images minus it, or without latents `train_bits_per_dim` and `bits_per_dim_gap`; with `codes` also `train_nats_per_code`, `nats_per_code_gap` and
        `nats_per_code_ratio`, test / train, and the same of each level in `codes_0`, ... where
        `scores["codes"]` has these.
    """
    count = min(len(train), TRAIN_IMAGES)
    indices = np.sort(np.random.default_rng(seed).permutation(len(train))[:count])
    source = Subset(train, indices)
    encoded = autoencode_source(model.autoencoder, source, "reconstructing training images", seed)
    num_values = math.prod(source[0]["image"].shape)
    if not encoded.latents:
        bits = image_scores(encoded, 0.0, num_values, model.autoencoder)["bits_per_dim"]
        gap = scores["images"]["bits_per_dim"] - bits
        return {"train_images": count, "train_bits_per_dim": bits, "bits_per_dim_gap": gap}
    mse = reconstruction_scores(encoded, num_values)["mse"]
    found = {"train_images": count, "train_mse": mse}
    found["mse_gap"] = scores["reconstruction"]["mse"] - mse
    if "codes" not in scores or not are_codes(model.autoencoder.codebook_sizes):
        return found
    rows = level_log_probs(model.prior, encoded.draws, encoded.labels)
    counts = [math.prod(level.shape[1:]) for level in encoded.latents]
    found |= _gap(bits_of(rows.sum(axis=0), sum(counts)), scores["codes"])
    levels = zip(rows, counts) if len(rows) > 1 else []
    for i, (row, codes) in enumerate(levels):
        found[f"codes_{i}"] = _gap(bits_of(row, codes), scores["codes"][f"codes_{i}"])
    return found


def _gap(train, test):
    train, test = train["nats_per_code"], test["nats_per_code"]
    return {
        "train_nats_per_code": train,
        "nats_per_code_gap": test - train,
        "nats_per_code_ratio": test / train if train else math.nan,
    }
