"""`vqzoo reconstruct`: image files through the bottleneck and back."""

import numpy as np

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_images, add_model, add_output_folder
from vqzoo.cli.image_files import check_targets, read_images, write_images

HELP = "Image files through the bottleneck and back."
EXAMPLE = "vqzoo reconstruct vqvae_fashion_mnist my_images/ --output reconstructions"


def add_arguments(parser):
    add_model(parser)
    add_images(parser)
    add_output_folder(parser, "reconstructions")


def run(arguments):
    shape = zoo.describe(arguments.model)["config"]["data"]["image_shape"]
    check_targets(arguments.output, arguments.images)
    images, names = read_images(arguments.images, shape, arguments.skip_bad)
    backend.start(arguments.debug)
    reconstructions = zoo.load(arguments.model).reconstruct(images)
    write_images(arguments.output, reconstructions, names)
    error = np.abs(reconstructions.astype(int) - images).mean()
    print(f"mean absolute error {error:.1f} grey levels")
