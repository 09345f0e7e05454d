"""Classification accuracy score: what a classifier learns from samples alone."""

import numpy as np

from vqzoo.classifier import find_classifier
from vqzoo.data import ArraySource, eval_batches
from vqzoo.evaluation.encoding import reconstructed_batches
from vqzoo.evaluation.fit_classifier import BATCH_SIZE, fit_classifier, measure


def cas_scores(model, train, test, seed=0, training=None):
    """Accuracy on real images of a classifier that has seen only samples, and of its twin.

    Section 5.3 of arXiv:1906.00446; Ravuri and Vinyals, arXiv:1905.10887. There are as many
    samples as training images, with the same labels in the same order, so that the twin, which
    learns from the real images, differs in nothing else. The samples are held in memory.

    Args:
        model: `ZooModel` with a conditional prior.
        train: `vqzoo.data.ImageSource` with labels, that the model was trained on.
        test: `ImageSource` with labels, that it was not.
        seed: int, of the samples and of both classifiers.
        training: dict of other arguments of `fit_classifier`, such as `epochs`; None takes what the
            package's classifier of these classes was trained with, or else 8 passes, mirrored where
            the model's recipe does so.

    Returns:
        dict: `accuracy`, the share of the test images that the classifier gets right;
        `accuracy_on_reconstructions`, the same of what the model makes of these images;
        `accuracy_of_real` and `accuracy_of_real_on_reconstructions`, the twin's; `share_of_real`,
        `accuracy` / `accuracy_of_real`; `train_images`, how many each has seen.

    Raises:
        ValueError: if the prior has no classes, or a source no labels.
    """
    if model.prior.num_classes is None:
        raise ValueError("`model` must have a prior with classes. Received: one without")
    for argument, source in (("train", train), ("test", test)):
        if not source.has_labels:
            raise ValueError(f"`{argument}` must have labels. Received: {source.name}")
    training = _usual_training(model.config["data"]) if training is None else training
    samples, scores = _samples_like(model, train, seed), {"train_images": len(train)}
    for suffix, source in (("", samples), ("_of_real", train)):
        classifier = fit_classifier(source, source.name, seed=seed, **training)
        tests = {"": eval_batches(test, BATCH_SIZE)}
        tests["_on_reconstructions"] = reconstructed_batches(model, test)
        for images, batches in tests.items():
            found = measure(classifier, batches)["test_accuracy"]
            scores[f"accuracy{suffix}{images}"] = found
    scores["share_of_real"] = scores["accuracy"] / scores["accuracy_of_real"]
    return scores


def _usual_training(data_config):
    """Arguments of `fit_classifier` for a config's `data`, as `cas_scores` says."""
    classifier = find_classifier(data_config)
    if classifier is None:
        return {"epochs": 8, "mirror": data_config.get("flip", False)}
    return {name: value for name, value in classifier.training.items() if name != "seed"}


def _samples_like(model, source, seed):
    """Samples with the labels of the source's images, in their order, as an `ArraySource`."""
    batches = eval_batches(source, BATCH_SIZE)
    labels = np.concatenate([batch["label"] for batch in batches])
    images = model.sample(len(source), labels.tolist(), seed, batch_size=BATCH_SIZE)
    return ArraySource(images, labels, source.class_names, "samples")
