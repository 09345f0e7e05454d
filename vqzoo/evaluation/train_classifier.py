"""Trains the classifier of an entry's data: `python -m vqzoo.evaluation.train_classifier`."""

import argparse
import json
import pathlib
import platform
import time

import keras

from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import files
from vqzoo.classifier import RESULTS, TRAINING, classifier_name, load_classifier
from vqzoo.evaluation.fit_classifier import BATCH_SIZE, fit_classifier, measure

def _parser():
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
    parser.add_argument("--width", type=int, default=32, help="filters of the first convolution")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="Adam's, at the start")
    return parser


def main(arguments=None):
    """Trains, measures and writes `OUTPUT/`: weights, config, checksums and `results.json`."""
    options = _parser().parse_args(arguments)
    data = configs.load_config(options.entry)["data"]
    test = datasets.open_source(data, "test", options.data)
    if options.measure:
        classifier = load_classifier(options.measure)
        scores = measure(classifier, datasets.eval_batches(test, BATCH_SIZE))
        print(json.dumps(scores, indent=1))
        return
    train = datasets.open_source(data, "train", options.data)
    start = time.monotonic()
    settings = {name: getattr(options, name) for name in TRAINING}
    classifier = fit_classifier(train, data["name"], **settings)
    scores = measure(classifier, datasets.eval_batches(test, BATCH_SIZE))
    folder = pathlib.Path(options.output or classifier_name(data["name"]))
    classifier.save(folder)
    results = {
        "scores": scores,
        "num_train_images": len(train),
        "num_test_images": len(test),
        "parameters": classifier.network.count_params(),
        **settings,
        "wall_time_seconds": round(time.monotonic() - start),
        "machine": f"{platform.machine()}, backend {keras.backend.backend()}",
        "versions": {"python": platform.python_version(), "keras": keras.__version__},
    }
    files.write_text(folder / RESULTS, json.dumps(results, indent=1) + "\n")
    print(f"test accuracy {scores['test_accuracy']:.4f}; wrote {folder}")


if __name__ == "__main__":
    main()
