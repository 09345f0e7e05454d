"""`vqzoo reconstruct`: image files through the bottleneck and back."""

import numpy as np

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_images, add_model, add_output_folder
from vqzoo.cli.image_files import check_targets, counted, read_images, write_images

HELP = "Image files through the bottleneck and back."
EXAMPLE = "vqzoo reconstruct vqvae_fashion_mnist my_images/ --output reconstructions"


def add_arguments(parser):
    add_model(parser)
    add_images(parser)
    other_size = parser.add_mutually_exclusive_group()
    other_size.add_argument(
        "--resize", action="store_true", help="shrink or enlarge the centre of other sizes"
    )
    other_size.add_argument(
        "--tile", action="store_true", help="take other sizes in tiles; they keep their size"
    )
    add_output_folder(parser, "reconstructions")


def run(arguments):
    from vqzoo.data.any_size import cut_tiles, join_tiles

    height, width, _ = shape = zoo.describe(arguments.model)["config"]["data"]["image_shape"]
    check_targets(arguments.output, arguments.images)
    others = []
    images, names = read_images(
        arguments.images,
        shape,
        arguments.skip_bad,
        lambda image, path: _fitted(image, path, shape, arguments, others),
    )
    tiles = [cut_tiles(image, height, width) for image in images]  # one, if it is of the size
    backend.start(arguments.debug)
    output = zoo.load(arguments.model).reconstruct(np.concatenate(tiles))
    parts = np.split(output, np.cumsum([len(part) for part in tiles])[:-1])
    pairs = list(zip(parts, images, strict=True))
    reconstructions = [join_tiles(part, *image.shape[:2]) for part, image in pairs]
    write_images(arguments.output, reconstructions, names)
    if arguments.resize or arguments.tile:
        did = "resized the centre of" if arguments.resize else "cut into tiles:"
        of_all = f"{len(others)} of {counted(len(images), 'image')}"
        print(f"{did} {of_all}, to {height} pixels high and {width} wide")
    pairs = zip(reconstructions, images, strict=True)
    errors = [np.abs(one.astype(int) - other).ravel() for one, other in pairs]
    print(f"mean absolute error {np.concatenate(errors).mean():.1f} grey levels")


def _fitted(image, path, shape, arguments, others):
    """The image as `--resize` or `--tile` wants it; the path of one of another size is noted."""
    from vqzoo.data.any_size import resized

    if image.shape == tuple(shape):
        return image
    others.append(path)
    if arguments.resize:
        return resized(image, *shape[:2])
    if arguments.tile:
        return image
    raise ValueError(
        f"{path}: images must be {shape[0]} pixels high and {shape[1]} wide. Received: "
        f"{image.shape[0]} high, {image.shape[1]} wide; --resize takes its centre at that size, "
        "--tile all of it in tiles"
    )
