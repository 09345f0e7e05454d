"""What samples are worth: right classes, as varied as real images, not copies."""

import dataclasses

import numpy as np

from vqzoo.data import eval_batches, images_at_once
from vqzoo.evaluation.nearest_maps import flat_maps, nearest_distances


@dataclasses.dataclass
class Samples:
    """Images that a model drew.

    Attributes:
        latents: list of arrays `(images, *shape)`, coarse to fine.
        labels: int32 `(images,)`, the classes asked for, or None for a model without.
        images: uint8 `(images, height, width, channels)`.
    """

    latents: list
    labels: np.ndarray | None
    images: np.ndarray


def draw_samples(model, num_samples, seed=0):
    """`Samples` at temperature 1, none truncated, none rejected; the classes in turn.

    Args:
        model: `ZooModel`.
        num_samples, seed: int.
    """
    if not model.autoencoder.latent_shapes:
        return Samples([], None, model.sample(num_samples, seed=seed))
    num_classes = model.prior.num_classes
    labels = None if num_classes is None else np.arange(num_samples, dtype="int32") % num_classes
    latents = model.prior.sample(num_samples, labels=labels, seed=seed)
    images = [batch["image"] for batch in decoded_batches(model, latents)]
    return Samples(latents, labels, np.concatenate(images))


def decoded_batches(model, latents):
    """Yields the images of latents, a list of arrays `(images, *shape)`, as dicts of `image`."""
    count = images_at_once(model.autoencoder)
    for start in range(0, len(latents[0]), count):
        yield {"image": model.decode([level[start : start + count] for level in latents])}


def sample_scores(samples, source, test, train=None, classifier=None):
    """Scores of samples that need no comparison of features.

    Args:
        samples: `Samples`.
        source: `vqzoo.data.ImageSource` of the test images.
        test: `EncodedSource` of the same.
        train: `EncodedSource` of the training images, or None, as for latents that are no codes.
        classifier: `Classifier` of the model's classes, or None.

    Returns:
        dict: `num_samples`; `class_agreement`, the share of samples in which the classifier sees
        the label asked for, and `class_agreement_by_class`; `variance_ratio`, the variance of a
        pixel over the samples of a class by that over its test images (means over pixels first),
        as a mean over classes, `variance_ratio_worst` being the one farthest from 1; and the
        median number of codes in which a sampled map differs from the nearest training map,
        `nearest_training_map`, that of test maps, `nearest_training_map_of_test`, and their
        `nearest_training_map_ratio`. What cannot be known without a classifier, labels or
        training codes is left out.
    """
    labels, images = samples.labels, samples.images
    scores = {"num_samples": len(images)}
    if labels is not None and classifier is not None:
        scores |= _agreement(classifier, images, labels)
    if labels is None or test.labels is not None:
        scores |= _variance_ratio(images, labels, source)
    if train is not None:
        scores |= _novelty(samples.latents, train, test)
    return scores


def _agreement(classifier, images, labels):
    agrees = classifier.predict(images) == labels
    by_class = {
        name: float(agrees[labels == label].mean())
        for label, name in enumerate(classifier.class_names)
        if (labels == label).any()
    }
    return {"class_agreement": float(agrees.mean()), "class_agreement_by_class": by_class}


def _variance_ratio(images, labels, source):
    num_classes = 1 if labels is None else int(labels.max()) + 1
    sampled = class_variances([(images, labels)], num_classes)
    batches = eval_batches(source, images_at_once(source))
    known = labels is not None
    pairs = ((batch["image"], batch["label"] if known else None) for batch in batches)
    real = class_variances(pairs, num_classes)
    usable = np.isfinite(sampled) & (real > 0)  # false where real is nan
    if not usable.any():
        return {}
    ratios = sampled[usable] / real[usable]
    worst = max(ratios, key=lambda ratio: max(ratio, 1 / ratio if ratio else np.inf))
    return {"variance_ratio": float(ratios.mean()), "variance_ratio_worst": float(worst)}


def class_variances(batches, num_classes):
    """Variance of a pixel value over the images of a class, unbiased, as a mean over pixels.

    Args:
        batches: iterable of uint8 images `(batch, height, width, channels)` and int labels
            `(batch,)`, or None for images that are all of class 0. None of it is kept.
        num_classes: int.

    Returns:
        float64 array `(num_classes,)`; nan for a class of fewer than two images.
    """
    counts, sums, squares = np.zeros(num_classes), 0.0, 0.0
    for images, labels in batches:
        labels = np.zeros(len(images), int) if labels is None else labels
        members = (np.arange(num_classes)[:, None] == labels).astype("float64")
        pixels = images.reshape(len(images), -1).astype("float64")
        counts += members.sum(axis=1)
        sums, squares = sums + members @ pixels, squares + members @ pixels**2  # exact: integers
    enough = np.where(counts > 1, counts, np.nan)[:, None]
    return ((squares - sums**2 / enough) / (enough - 1)).mean(axis=1)


def _novelty(codes, train, test):
    others = flat_maps(train.draws)
    ours = float(np.median(nearest_distances(flat_maps(codes), others)))
    real = float(np.median(nearest_distances(flat_maps(test.draws), others)))
    return {
        "nearest_training_map": ours,
        "nearest_training_map_of_test": real,
        "nearest_training_map_ratio": ours / real if real else float("nan"),
    }
