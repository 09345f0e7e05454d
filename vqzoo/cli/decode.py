"""`vqzoo decode`: a file of codes to image files."""

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_model, add_output_folder, existing_path
from vqzoo.cli.code_file import read_codes
from vqzoo.cli.image_files import write_images

HELP = "A file of codes to image files."
EXAMPLE = "vqzoo decode vqvae_fashion_mnist codes.npz --output decoded"


def add_arguments(parser):
    """Adds the arguments of `vqzoo decode`."""
    add_model(parser)
    parser.add_argument("codes", type=existing_path, metavar="NPZ", help="from `vqzoo encode`")
    add_output_folder(parser, "decoded")


def run(arguments):
    """Writes an image for each entry of a file of codes.

    Raises:
        ValueError: if the codes are another model's, or a name leads out of the output folder.
        OSError: if a file cannot be read or written.
    """
    backend.start(arguments.debug)
    model = zoo.load(arguments.model)
    codes, names = read_codes(arguments.codes, model.autoencoder)
    write_images(arguments.output, model.decode(codes), names)
