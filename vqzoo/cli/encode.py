"""`vqzoo encode`: image files to a file of codes."""

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_images, add_model, output_file
from vqzoo.cli.code_file import write_codes
from vqzoo.cli.image_files import counted, read_images

HELP = "Image files to a file of codes."
EXAMPLE = "vqzoo encode vqvae_fashion_mnist my_images/ --output codes.npz"


def add_arguments(parser):
    """Adds the arguments of `vqzoo encode`."""
    add_model(parser)
    add_images(parser)
    parser.add_argument(
        "--output",
        type=output_file(".npz"),
        default="codes.npz",
        metavar="NPZ",
        help="default codes.npz",
    )


def run(arguments):
    """Writes the codes of image files to one NumPy archive.

    Raises:
        ValueError: if an image is not of the model's shape.
        OSError: if a file cannot be read or written.
    """
    shape = zoo.describe(arguments.model)["config"]["data"]["image_shape"]
    images, names = read_images(arguments.images, shape, arguments.skip_bad)
    backend.start(arguments.debug)
    model = zoo.load(arguments.model)
    codes = model.encode(images)
    write_codes(arguments.output, codes, names, model.autoencoder)
    shapes = ", ".join("x".join(map(str, level.shape)) for level in codes)
    print(f"wrote the codes of {counted(len(images), 'image')}, {shapes}, to {arguments.output}")
