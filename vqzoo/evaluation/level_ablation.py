"""What each level of codes holds: errors once the codes of a level say nothing of the image."""

import math

import keras
import numpy as np

from vqzoo.data import images_at_once
from vqzoo.evaluation.encoding import squared_errors
from vqzoo.progress import track

MOST = 1000
"""Images that are decoded anew for each score, evenly spaced over the source."""


def level_scores(autoencoder, source, latents, seed=0):
    """Errors with the codes of one level, or of all levels finer than it, replaced.

    Section 3.1 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446) wants its levels to complement each
    other; Figure 3 shows what they add, coarse to fine, and does not say what stands in for the
    levels left out. Here it is the level's most common code, all over the map.

    Args:
        autoencoder: of several levels of codes; has `decoder_model` and `to_pixels`.
        source: `vqzoo.data.ImageSource` of two images or more.
        latents: list of int arrays `(images, h, w)`, the codes of all its images, coarse to fine.
        seed: int, of the draw which image gets the codes of which.

    Returns:
        dict with `codes_0`, ..., coarse to fine, each a dict of floats: `mse_with_other`, the mean
        squared error with pixels on -1..1 if this level's codes are those of another image;
        `times_mse`, that over the error of the same images with their own codes (infinite where
        that is 0); `mse_up_to`, the error of this level and the coarser ones alone.
    """
    count = min(MOST, len(source))
    rows = np.arange(count) * len(source) // count
    codes = [level[rows] for level in latents]
    errors = _errors(autoencoder, source, rows, {"own": codes, **_replaced(codes, seed)})
    scores = {}
    for i in range(len(codes)):
        other, own = errors[f"other_{i}"], errors["own"]
        scores[f"codes_{i}"] = {
            "mse_with_other": other,
            "times_mse": other / own if own else math.inf,
            "mse_up_to": errors.get(f"up_to_{i}", own),
        }
    return scores


def _replaced(codes, seed):
    """The codes with some replaced: dict of `other_LEVEL` and `up_to_LEVEL` to lists of levels."""
    order = np.random.default_rng(seed).permutation(len(codes[0]))
    lender = np.empty_like(order)
    lender[order] = np.roll(order, 1)  # one cycle through all images: none keeps its own
    blank = [np.full_like(level, np.bincount(level.ravel()).argmax()) for level in codes]
    changed = {}
    for i, level in enumerate(codes):
        changed[f"other_{i}"] = [*codes[:i], level[lender], *codes[i + 1 :]]
        if i + 1 < len(codes):
            changed[f"up_to_{i}"] = [*codes[: i + 1], *blank[i + 1 :]]
    return changed


def _errors(autoencoder, source, rows, variants):
    """Mean squared error of the images at `rows` for each list of codes in the dict `variants`."""
    sums, values = dict.fromkeys(variants, 0.0), 0
    parts = np.array_split(np.arange(len(rows)), math.ceil(len(rows) / images_at_once(source)))
    for part in track(parts, len(parts), "decoding without a level"):
        images = source.take(rows[part])["image"]
        values += images.size
        for name, codes in variants.items():
            output = autoencoder.decoder_model.predict_on_batch([level[part] for level in codes])
            pixels = keras.ops.convert_to_numpy(autoencoder.to_pixels(output))
            sums[name] += float(squared_errors(images, pixels).sum())
    return {name: value / values for name, value in sums.items()}
