"""`vqzoo export`: a SavedModel for TensorFlow Serving."""

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_model, output_folder

HELP = "A SavedModel for TensorFlow Serving."
EXAMPLE = "vqzoo export vqvae_fashion_mnist served/vqvae_fashion_mnist"


def add_arguments(parser):
    """Adds the arguments of `vqzoo export`."""
    add_model(parser)
    parser.add_argument(
        "folder", type=output_folder, metavar="FOLDER", help="will hold 1/, or the next version"
    )


def run(arguments):
    """Writes a SavedModel as the next free version of a folder.

    Raises:
        ValueError: if Keras' backend is not TensorFlow.
        OSError: if the folder cannot be written.
    """
    backend.start(arguments.debug)
    print(f"wrote {zoo.load(arguments.model).export(arguments.folder)}")
