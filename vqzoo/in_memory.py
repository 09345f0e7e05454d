"""Training both stages of a model on data in memory."""

import keras
import numpy as np

from vqzoo import inputs
from vqzoo.checks import shown
from vqzoo.models.joint_training import JointTraining
from vqzoo.priors.checks import checked_labels


def fit_in_memory(model, dataset, autoencoder=None, prior=None):
    """Trains the autoencoder, then the prior on its codes; all as for `ZooModel.fit`."""
    joint = "joint" in model.config["training"]
    for argument, value in (("autoencoder", autoencoder), ("prior", prior)):
        if value is not None and not isinstance(value, dict):
            raise TypeError(f"`{argument}` must be a dict or None. Received: {shown(value)}")
    if joint and prior is not None:
        raise ValueError(
            "`prior` must be None for a model whose prior is trained together with its autoencoder: "
            f"`autoencoder` holds the arguments of the one `fit`. Received: {shown(prior)}"
        )
    batches = [dataset] if isinstance(dataset, (np.ndarray, tuple)) else dataset
    if not hasattr(batches, "__iter__"):
        raise TypeError(f"`dataset` must be images or batches. Received: {shown(dataset)}")
    _check_batch(model, next(iter(batches), ()))
    x = dataset[0] if isinstance(dataset, tuple) else dataset
    first = _fit_images(model, x, autoencoder or {}, joint)
    if joint or not model.prior.weights:
        return first, None
    codes = training_codes(model, batches)
    if not model.prior.compiled:
        model.prior.compile("adam")
    return first, model.prior.fit(codes, **(prior or {}))


def _fit_images(model, x, arguments, joint):
    """The `fit` of the autoencoder, or of both parts together; returns its history."""
    fitted = JointTraining(model.autoencoder, model.prior) if joint else model.autoencoder
    if not fitted.compiled:
        fitted.compile("adam")
    needed = model.autoencoder.training_callbacks()
    callbacks = [*needed, *arguments.get("callbacks", [])]
    return fitted.fit(x, **{**arguments, "callbacks": callbacks})


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
    """The codes of all images, with labels for a conditional prior, as its `fit` takes them."""
    parts = []
    for batch in batches:
        images, labels = batch if isinstance(batch, (tuple, list)) else (batch, None)
        codes = model.encode(keras.ops.convert_to_numpy(images))
        part = {f"codes_{level}": array for level, array in enumerate(codes)}
        if model.prior.num_classes is not None:
            labels = keras.ops.convert_to_numpy(labels)
            part["labels"] = _label_ids(model, labels, len(codes[0]))
        parts.append(part)
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _label_ids(model, labels, count):
    labels = inputs.label_ids(labels, model.class_names)
    return checked_labels(labels, count, model.prior.num_classes)
