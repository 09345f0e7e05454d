"""`vqzoo encode`: image files to a file of codes."""

import pathlib

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_images, add_model
from vqzoo.cli.code_file import write_codes
from vqzoo.cli.image_files import read_images

HELP = "Image files to a file of codes."
EXAMPLE = "vqzoo encode vqvae_fashion_mnist my_images/ --output codes.npz"


def npz_path(text):
    """Argument type: path that ends in .npz, which NumPy would add silently."""
    return pathlib.Path(text if text.endswith(".npz") else f"{text}.npz")


def add_arguments(parser):
    add_model(parser)
    add_images(parser)
    parser.add_argument(
        "--output",
        type=npz_path,
        default=pathlib.Path("codes.npz"),
        metavar="NPZ",
        help="default codes.npz",
    )


def run(arguments):
    backend.start(arguments.debug)
    model = zoo.load(arguments.model)
    images, names = read_images(
        arguments.images, model.autoencoder.image_shape, arguments.skip_bad
    )
    codes = model.encode(images)
    write_codes(arguments.output, codes, names, model.autoencoder.tokenizer_hash())
    shapes = ", ".join("x".join(map(str, level.shape)) for level in codes)
    print(f"wrote the codes of {len(images)} images, {shapes}, to {arguments.output}")
