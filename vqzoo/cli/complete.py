"""`vqzoo complete`: image files with a part drawn anew."""

import argparse

import numpy as np

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import (
    UsageError,
    add_images,
    add_model,
    add_output_folder,
    add_sampling,
    existing_path,
    labels_of,
)
from vqzoo.cli.image_files import check_targets, read_images, write_images

HELP = "A part of each image drawn anew."
EXAMPLE = "vqzoo complete vqvae_fashion_mnist shoe.png --box 14,0,14,28 --labels sneaker"


def box(text):
    """Argument type: four ints `top,left,height,width` in pixels."""
    try:
        top, left, height, width = map(int, text.split(","))
    except ValueError:
        top = left = height = width = -1
    if min(top, left) < 0 or min(height, width) < 1:
        raise argparse.ArgumentTypeError(f"must be top,left,height,width in pixels, not {text!r}")
    return top, left, height, width


def add_arguments(parser):
    add_model(parser)
    add_images(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--mask", type=existing_path, metavar="PNG", help="white: draw anew")
    where.add_argument("--box", type=box, metavar="T,L,H,W", help="top, left, height, width")
    add_sampling(parser, without="drawn by the seed")
    add_output_folder(parser, "completed")


def run(arguments):
    labels = labels_of(arguments.labels, arguments.model)
    shape = zoo.describe(arguments.model)["config"]["data"]["image_shape"]
    check_targets(arguments.output, arguments.images, arguments.mask)
    mask = _mask(arguments, shape)
    images, names = read_images(arguments.images, shape, arguments.skip_bad)
    if labels and len(labels) not in (1, len(images)):
        raise UsageError(
            f"argument --labels: must be one class, or one for each of {len(images)} images, "
            f"not {len(labels)}"
        )
    backend.start(arguments.debug)
    model = zoo.load(arguments.model)
    one = labels[0] if labels and len(labels) == 1 else labels
    write_images(arguments.output, model.complete(images, mask, one, arguments.seed), names)


def _mask(arguments, image_shape):
    """The mask that `--mask` or `--box` names: bool, True where to draw anew."""
    from vqzoo.data import read_image

    if arguments.mask:
        try:
            mask = read_image(arguments.mask).mean(axis=-1) >= 128
        except OSError as error:
            raise OSError(f"argument --mask: {arguments.mask} is no readable image") from error
        if any(side % part for side, part in zip(image_shape, mask.shape)):
            height, width, _ = image_shape
            raise ValueError(
                f"argument --mask: {arguments.mask} must be {height} pixels high and {width} wide, "
                "or have a pixel for each code. "
                f"Received: {mask.shape[0]} high, {mask.shape[1]} wide"
            )
        if not mask.any():
            raise ValueError(f"argument --mask: {arguments.mask} is white nowhere: nothing to draw")
        return mask
    height, width, _ = image_shape
    top, left, rows, columns = arguments.box
    if top + rows > height or left + columns > width:
        raise UsageError(f"argument --box: must lie inside {height} rows and {width} columns")
    mask = np.zeros((height, width), bool)
    mask[top : top + rows, left : left + columns] = True
    return mask

