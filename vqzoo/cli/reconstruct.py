"""`vqzoo reconstruct`: image files through the bottleneck and back."""

import pathlib

import numpy as np

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_images, add_model
from vqzoo.cli.image_files import read_images, write_images

HELP = "Image files through the bottleneck and back."
EXAMPLE = "vqzoo reconstruct vqvae_fashion_mnist my_images/ --output reconstructions"


def add_arguments(parser):
    add_model(parser)
    add_images(parser)
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("reconstructions"),
        metavar="FOLDER",
        help="default reconstructions/",
    )


def run(arguments):
    backend.start(arguments.debug)
    model = zoo.load(arguments.model)
    images, names = read_images(
        arguments.images, model.autoencoder.image_shape, arguments.skip_bad
    )
    reconstructions = model.reconstruct(images)
    write_images(arguments.output, reconstructions, names)
    error = np.abs(reconstructions.astype(int) - images).mean()
    print(f"mean absolute error {error:.1f} grey levels")
