"""`vqzoo export`: a SavedModel for TensorFlow Serving."""

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_model, output_folder

HELP = "A SavedModel for TensorFlow Serving."
EXAMPLE = "vqzoo export vqvae_fashion_mnist served/vqvae_fashion_mnist"


def add_arguments(parser):
    add_model(parser)
    parser.add_argument(
        "folder", type=output_folder, metavar="FOLDER", help="will hold 1/, or the next version"
    )


def run(arguments):
    backend.start(arguments.debug)
    print(f"wrote {zoo.load(arguments.model).export(arguments.folder)}")
