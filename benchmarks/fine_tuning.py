"""Fine-tuning against training from scratch: `python -m benchmarks.fine_tuning --data FOLDER`.

Trains the autoencoder of an entry on a folder of images for a few passes, once from the entry's
published weights and once from random ones, by the recipe of `vqzoo train`: the same seed, batches
and learning rates, which fall to the end of these passes. Prints the mean squared error of both on
the folder's test images, and that of the published weights as they are.
"""

import argparse
import math
import pathlib
import tempfile

import vqzoo
from vqzoo import config as configs
from vqzoo.data import open_source
from vqzoo.evaluation.encoding import autoencode_source
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.training.recipe import Recipe
from vqzoo.training.starting_point import StartingPoint


def held_out_mse(autoencoder, test):
    """Mean squared error on the test images, pixels on -1..1."""
    encoded = autoencode_source(autoencoder, test)
    return reconstruction_scores(encoded, math.prod(test.image_shape))["mse"]


def trained(config, images, start):
    """The autoencoder after stage 1, from a `StartingPoint` or from random weights."""
    with tempfile.TemporaryDirectory() as folder:
        return Recipe(pathlib.Path(folder), config, images, start).fit_autoencoder()


def main():
    """Trains twice, then prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER", help="of the entry's size")
    parser.add_argument("--entry", default="vqvae_cifar10", help="an entry with trained weights")
    parser.add_argument("--epochs", type=int, default=2, help="passes over the training images")
    parser.add_argument("--learning-rate", type=float, help="of both (default: the entry's)")
    arguments = parser.parse_args()
    config = configs.load_config(arguments.entry)
    config["data"].pop("class_names", None)  # the folder has its own, and none matters here
    images = {
        split: open_source(config["data"], split, arguments.data) for split in ("train", "test")
    }
    stage = config["training"]["autoencoder"]
    stage["steps"] = arguments.epochs * math.ceil(len(images["train"]) / stage["batch_size"])
    stage["learning_rate"] = arguments.learning_rate or stage["learning_rate"]
    published = held_out_mse(vqzoo.load(arguments.entry).autoencoder, images["test"])
    tuned, fresh = (
        held_out_mse(trained(config, images, start), images["test"])
        for start in (StartingPoint(arguments.entry), None)
    )
    print(f"{len(images['train'])} training images, {stage['steps']} steps; held-out MSE:")
    print(f"published {published:.5f}, fine-tuned {tuned:.5f}, from scratch {fresh:.5f}")
    print(f"fine-tuned / from scratch: {tuned / fresh:.3f}, / published: {tuned / published:.3f}")


if __name__ == "__main__":
    main()
