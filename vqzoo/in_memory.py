"""Training both stages of a model on data in memory."""

import keras
import numpy as np

from vqzoo import inputs
from vqzoo.checks import shown
from vqzoo.models.likelihood_scale import best_scale, num_images_to_fit
from vqzoo.priors.checks import checked_labels
from vqzoo.sampling.batches import in_batches

DRAWS_SEED = 0
"""Seed of the draws of q(z | x) on which a prior is trained."""


def fit_in_memory(model, dataset, autoencoder=None, prior=None):
    """Trains the autoencoder, then the prior on its codes; all as for `ZooModel.fit`."""
    for argument, value in (("autoencoder", autoencoder), ("prior", prior)):
        if value is not None and not isinstance(value, dict):
            raise TypeError(f"`{argument}` must be a dict or None. Received: {shown(value)}")
    joint = model.joint_training is not None
    if joint and prior is not None:
        raise ValueError(
            "`prior` must be None for a model whose parts are trained together: `autoencoder` "
            f"holds the arguments of the one `fit`. Received: {shown(prior)}"
        )
    batches = [dataset] if isinstance(dataset, (np.ndarray, tuple)) else dataset
    if not hasattr(batches, "__iter__"):
        raise TypeError(f"`dataset` must be images or batches. Received: {shown(dataset)}")
    _check_batch(model, next(iter(batches), ()))
    x = dataset[0] if isinstance(dataset, tuple) else dataset
    first = _fit_images(model.joint_training or model.autoencoder, model, x, autoencoder or {})
    if model.autoencoder.fits_scale:
        few = _few_images(batches, num_images_to_fit(model.autoencoder.image_shape))
        scale = best_scale(model.autoencoder, few, np.arange(len(few)))
        model.autoencoder.likelihood_scale.assign(scale)
    if joint or not model.prior.weights:
        return first, None
    codes = training_codes(model, batches)
    if not model.prior.compiled:
        model.prior.compile("adam")
    return first, model.prior.fit(codes, **(prior or {}))


def _fit_images(fitted, model, x, arguments):
    """The `fit` of the autoencoder, or of what trains both parts; returns its history."""
    if not fitted.compiled:
        fitted.compile("adam")
    callbacks = [*model.autoencoder.training_callbacks(), *arguments.get("callbacks", [])]
    return fitted.fit(x, **{**arguments, "callbacks": callbacks})


def _few_images(batches, count):
    """So many images, evenly spaced over those of a batch: uint8 array."""
    parts = []
    for batch in batches:
        images = batch[0] if isinstance(batch, (tuple, list)) else batch
        wanted = min(len(images), count - sum(map(len, parts)))
        rows = np.arange(wanted) * len(images) // max(wanted, 1)
        parts.append(keras.ops.convert_to_numpy(images)[rows])
        if sum(map(len, parts)) == count:
            break
    return np.concatenate(parts)


def _check_batch(model, batch):
    """Checks the first batch of a data set, before Keras sees it."""
    parts = batch if isinstance(batch, (tuple, list)) else (batch, None)
    if len(parts) != 2:
        raise ValueError(
            "`dataset` must hold images, or pairs of images and labels. "
            f"Received: {len(parts)} parts"
        )
    images, labels = parts
    if model.prior.num_classes is not None and labels is None:
        raise ValueError("`dataset` must hold labels: the prior has classes. Received: images")
    autoencoder = model.autoencoder
    try:
        images = inputs.checked_images(images, autoencoder.image_shape, autoencoder.stride, False)
        if model.prior.num_classes is not None:
            _label_ids(model, labels, len(images))
    except ValueError as error:
        raise ValueError(f"`dataset` has a wrong batch: {error}") from error


def training_codes(model, batches):
    """The codes of all images, with labels for a conditional prior, as its `fit` takes them.

    Of a posterior that is no function of the image they are one draw for each image.
    """
    parts, first = [], 0

    def draw(rows):
        return model.autoencoder.posterior(rows[0], DRAWS_SEED, rows[1])[1]

    for batch in batches:
        images, labels = batch if isinstance(batch, (tuple, list)) else (batch, None)
        images = keras.ops.convert_to_numpy(images)
        indices = first + np.arange(len(images))
        codes = in_batches(draw, [images, indices], 256, "encoding batch")
        part = {f"codes_{level}": array for level, array in enumerate(codes)}
        if model.prior.num_classes is not None:
            labels = keras.ops.convert_to_numpy(labels)
            part["labels"] = _label_ids(model, labels, len(images))
        parts.append(part)
        first += len(images)
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _label_ids(model, labels, count):
    labels = inputs.label_ids(labels, model.class_names)
    return checked_labels(labels, count, model.prior.num_classes)
