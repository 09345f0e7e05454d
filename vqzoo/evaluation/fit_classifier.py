"""Fits a classifier to labelled images, and counts how often one is right."""

import math

import keras
import numpy as np

from vqzoo import data as datasets
from vqzoo import weights
from vqzoo.classifier import TRAINING, Classifier, create

BATCH_SIZE = 128


def fit_classifier(
    train, data_name, epochs=8, seed=0, mirror=False, width=32, learning_rate=2e-3
):
    """A classifier trained on all images of a source.

    Args:
        train: `vqzoo.data.ImageSource` with labels and `class_names`.
        data_name: str, recorded with the weights.
        epochs: int, passes over `train`.
        seed: int, of the initial weights, the dropout and the order of the images.
        mirror: bool, whether half of the images are seen mirrored; not for digits.
        width: int, as for `vqzoo.classifier.create`.
        learning_rate: float, of Adam at the start; it falls to 0 as a cosine.

    Returns:
        `Classifier`, its weights rounded to what a file will hold.
    """
    keras.utils.set_random_seed(seed)  # decides the initial weights and the dropout
    steps = math.ceil(epochs * len(train) / BATCH_SIZE)
    network = create(train.image_shape, len(train.class_names), width)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    batches = datasets.training_batches(train, BATCH_SIZE, seed, steps, flip=mirror)
    network.fit(batches, steps_per_epoch=steps, shuffle=False)
    weights.round_to_float16(network)  # the scores are those of the weights as they are stored
    given = epochs, seed, mirror, width, learning_rate
    training = dict(zip(TRAINING, given, strict=True))
    return Classifier(network, train.class_names, data_name, training)


def measure(classifier, batches):
    """Share of labelled images that a classifier gets right, in all and by class.

    Args:
        classifier: `Classifier`.
        batches: iterable of dicts of `image`, uint8 `(batch, height, width, channels)`, and
            `label`, int `(batch,)`, as `vqzoo.data.eval_batches` gives them.

    Returns:
        dict of `test_accuracy`, and of `test_accuracy_by_class` with one entry for each name.
    """
    right = [[] for _ in classifier.class_names]
    for batch in batches:
        predicted = classifier.predict(batch["image"])
        for label, hit in zip(batch["label"], predicted == batch["label"], strict=True):
            right[label].append(bool(hit))
    by_class = {
        name: float(np.mean(hits))
        for name, hits in zip(classifier.class_names, right, strict=True)
        if hits
    }
    return {"test_accuracy": float(np.mean(sum(right, []))), "test_accuracy_by_class": by_class}
