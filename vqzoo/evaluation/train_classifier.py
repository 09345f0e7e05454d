"""Trains the classifier of an entry's data: `python -m vqzoo.evaluation.train_classifier`."""

import argparse
import json
import math
import pathlib
import platform
import time

import keras
import numpy as np

from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import files
from vqzoo import weights
from vqzoo.evaluation.classifier import Classifier, create, load_classifier

BATCH_SIZE, LEARNING_RATE = 128, 2e-3


def train_classifier(train, test, data_name, epochs=8, seed=0, mirror=False):
    """Trains on one source, and measures on another.

    Args:
        train, test: `vqzoo.data.ImageSource` with labels and the same `class_names`.
        data_name: str, recorded with the weights.
        epochs: int, passes over `train`.
        seed: int, of the initial weights, the dropout and the order of the images.
        mirror: bool, whether half of the images are seen mirrored; not for digits.

    Returns:
        `(classifier, scores)`, scores being a dict of `test_accuracy`, and of
        `test_accuracy_by_class` with one entry for each name.
    """
    keras.utils.set_random_seed(seed)  # decides the initial weights and the dropout
    steps = math.ceil(epochs * len(train) / BATCH_SIZE)
    network = create(train.image_shape, len(train.class_names))
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    batches = datasets.training_batches(train, BATCH_SIZE, seed, steps, flip=mirror)
    network.fit(batches, steps_per_epoch=steps, shuffle=False)
    weights.round_to_float16(network)  # the scores are those of the weights as they are stored
    classifier = Classifier(network, train.class_names, data_name)
    return classifier, measure(classifier, test)


def measure(classifier, source):
    """Share of a labelled source's images that a classifier gets right, in all and by class."""
    right = [[] for _ in classifier.class_names]
    for batch in datasets.eval_batches(source, BATCH_SIZE):
        predicted = classifier.predict(batch["image"])
        for label, hit in zip(batch["label"], predicted == batch["label"], strict=True):
            right[label].append(bool(hit))
    by_class = {
        name: float(np.mean(hits))
        for name, hits in zip(classifier.class_names, right, strict=True)
        if hits
    }
    return {"test_accuracy": float(np.mean(sum(right, []))), "test_accuracy_by_class": by_class}


def main(arguments=None):
    """Trains, measures and writes `OUTPUT/`: weights, config, checksums and `results.json`."""
    parser = argparse.ArgumentParser(
        prog="python -m vqzoo.evaluation.train_classifier",
        description="Train a classifier of the images that an entry models.",
    )
    parser.add_argument("entry", help="whose `data` to use, such as vqvae_fashion_mnist")
    parser.add_argument("--data", help="folder of images to read in place of the data set")
    parser.add_argument("--measure", metavar="CLASSIFIER", help="only measure one: name or folder")
    parser.add_argument("--output", help="folder to write (classifier_DATA)")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mirror", action="store_true", help="mirror half of the images")
    options = parser.parse_args(arguments)
    data = configs.load_config(options.entry)["data"]
    test = datasets.open_source(data, "test", options.data)
    if options.measure:
        print(json.dumps(measure(load_classifier(options.measure), test), indent=1))
        return
    train = datasets.open_source(data, "train", options.data)
    start = time.monotonic()
    settings = options.epochs, options.seed, options.mirror
    classifier, scores = train_classifier(train, test, data["name"], *settings)
    folder = pathlib.Path(options.output or f"classifier_{data['name']}")
    classifier.save(folder)
    results = {
        "scores": scores,
        "num_train_images": len(train),
        "num_test_images": len(test),
        "parameters": classifier.network.count_params(),
        "epochs": options.epochs,
        "seed": options.seed,
        "mirror": options.mirror,
        "wall_time_seconds": round(time.monotonic() - start),
        "machine": f"{platform.machine()}, backend {keras.backend.backend()}",
        "versions": {"python": platform.python_version(), "keras": keras.__version__},
    }
    files.write_text(folder / "results.json", json.dumps(results, indent=1) + "\n")
    print(f"test accuracy {scores['test_accuracy']:.4f}; wrote {folder}")


if __name__ == "__main__":
    main()
