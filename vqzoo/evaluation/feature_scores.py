"""How far samples are from real images, in the eyes of a network."""

import dataclasses

import numpy as np

from vqzoo.data import ArraySource, eval_batches, images_at_once
from vqzoo.data.subset import Subset
from vqzoo.evaluation.frechet import Moments, frechet_distance
from vqzoo.evaluation.inception_score import inception_score
from vqzoo.evaluation.kernel_distance import kid, mmd
from vqzoo.evaluation.precision_recall import precision_recall
from vqzoo.evaluation.samples import decoded_batches

MOST = 10_000
"""Images of a set whose features are kept; the moments are those of all."""


@dataclasses.dataclass
class FeatureSet:
    """What a network sees in a set of images.

    Attributes:
        moments: `Moments` of the features of all images.
        features: float32 `(kept, features)` of images drawn at random, in random order.
        probabilities: float32 `(kept, classes)` of the same, or None.
    """

    moments: Moments
    features: np.ndarray
    probabilities: np.ndarray | None


def feature_scores(network, model, images, test, encoded, train=None, seed=0):
    """Scores of samples, and what real images and reconstructions score in their place.

    Args:
        network: `FeatureNetwork`.
        model: `ZooModel`.
        images: uint8 `(samples, height, width, channels)`.
        test: `vqzoo.data.ImageSource`, the real images that are the reference.
        encoded: `EncodedSource` of the same.
        train: `ImageSource` of other real images, or None to leave theirs out.
        seed: int, of the choice of images and subsets.

    Returns:
        dict as of `compare`, and with latents `fid_NAME_of_reconstructions`, of the test images' reconstructions
        in place of samples, and `fid_star_NAME`, of samples with these as the reference: Section
        5.3.1 of arXiv:1906.00446. With `train` also the scores of as many training images as there
        are samples, with the suffix `_of_train`: what a perfect model would score.
    """
    name = network.name
    reference = collect_source(network, test, seed)
    samples = collect_source(network, ArraySource(images), seed)
    scores = compare(name, samples, reference, seed)
    if encoded.latents:
        decoded = collect(network, decoded_batches(model, encoded.latents), len(test), seed)
        scores[f"fid_star_{name}"] = frechet_distance(samples.moments, decoded.moments)
        distance = frechet_distance(decoded.moments, reference.moments)
        scores[f"fid_{name}_of_reconstructions"] = distance
    if train is not None:
        order = np.random.default_rng(seed).permutation(len(train))[: len(images)]
        others = collect_source(network, Subset(train, np.sort(order)), seed)
        real = compare(name, others, reference, seed)
        scores |= {f"{key}_of_train": value for key, value in real.items()}
    return scores


def distance_of_latents(network, model, latents, test, seed=0):
    """Frechet distance from test images of the images that latents decode to, a float.

    Args:
        network, model, test, seed: as for `feature_scores`.
        latents: list of arrays `(images, *shape)`, one a level, whoever drew them.
    """
    count = len(latents[0])
    decoded = collect(network, decoded_batches(model, latents), count, seed)
    reference = collect_source(network, test, seed)
    return frechet_distance(decoded.moments, reference.moments)


def collect_source(network, source, seed=0):
    """What a network sees in an `ImageSource`, as a `FeatureSet`; `seed` as for `collect`."""
    return collect(network, eval_batches(source, images_at_once(source)), len(source), seed)


def collect(network, batches, total, seed=0):
    """One pass of a network over images, as a `FeatureSet`.

    Args:
        network: `FeatureNetwork`.
        batches: iterable of dicts of `image`, uint8 `(batch, height, width, channels)`.
        total: int, images in all.
        seed: int, decides whose features are kept.
    """
    order = np.random.default_rng(seed).permutation(total)[:MOST]
    kept = np.zeros(total, bool)
    kept[order] = True
    moments, parts, start = None, [], 0
    for batch in batches:
        features, probabilities = network(batch["image"])
        moments = moments or Moments(features.shape[1])
        moments.update(features)
        rows = kept[start : start + len(features)]
        parts.append([None if part is None else part[rows] for part in (features, probabilities)])
        start += len(features)
    # Rows in random order, so that the first of them are a fair draw of a set sorted by class.
    places = np.argsort(np.argsort(order))
    features, probabilities = (
        None if column[0] is None else np.concatenate(column)[places]
        for column in zip(*parts, strict=True)
    )
    return FeatureSet(moments, features, probabilities)


def compare(name, samples, reference, seed=0):
    """Scores of samples beside real images.

    Args:
        name: str, of the network; part of every key.
        samples, reference: `FeatureSet`s of one network.
        seed: int, of the subsets for `kid_NAME`.

    Returns:
        dict: `fid_NAME`; `kid_NAME` and `kid_NAME_error`; `mmd_NAME`; `precision_NAME` and
        `recall_NAME`, of as many images on both sides; and `inception_score_NAME` if the network
        gives probabilities.
    """
    few = min(len(samples.features), len(reference.features))
    value, error = kid(samples.features, reference.features, seed)
    precision, recall = precision_recall(reference.features[:few], samples.features[:few])
    scores = {
        f"fid_{name}": frechet_distance(samples.moments, reference.moments),
        f"kid_{name}": value,
        f"kid_{name}_error": error,
        f"mmd_{name}": mmd(samples.features, reference.features),
        f"precision_{name}": precision,
        f"recall_{name}": recall,
    }
    if samples.probabilities is not None:
        scores[f"inception_score_{name}"], _ = inception_score(samples.probabilities)
    return scores
