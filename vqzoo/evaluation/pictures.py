"""Pictures as PNG files: grids of samples, reconstructions beside originals, codebook usage."""

import math
import pathlib

import numpy as np

from vqzoo.evaluation.codebook import usage_counts
from vqzoo.evaluation.encoding import encode_source
from vqzoo.files import whole_file

SMALLEST_SIDE = 64
"""Pixels to which a tiny image is enlarged, by whole factors, so that one sees something."""


MOST_ROWS = 10
"""Rows of samples: a thousand classes would make a picture of gigabytes."""


def grid(images, columns, gap=2):
    """Images side by side on white, row by row; tiny ones enlarged by a whole factor.

    Args:
        images: uint8 array `(images, height, width, channels)`.
        columns: int, images in a row.
        gap: int, white pixels between neighbours and around.

    Returns:
        uint8 array `(grid height, grid width, channels)`.
    """
    factor = max(1, math.ceil(SMALLEST_SIDE / min(images.shape[1:3])))
    images = np.repeat(np.repeat(images, factor, axis=1), factor, axis=2)
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    shape = rows * (height + gap) + gap, columns * (width + gap) + gap, channels
    canvas = np.full(shape, 255, "uint8")
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def comparison(images, reconstructions, columns=10):
    """A `grid` whose odd rows are images, and whose even rows their reconstructions.

    Args:
        images, reconstructions: uint8 arrays `(images, height, width, channels)`.
        columns: int, most images in a row.

    Returns:
        uint8 array `(grid height, grid width, channels)`.
    """
    columns, rows = min(columns, len(images)), []
    for start in range(0, len(images), columns):
        for part in (images[start : start + columns], reconstructions[start : start + columns]):
            missing = [(0, columns - len(part)), (0, 0), (0, 0), (0, 0)]
            rows.append(np.pad(part, missing, constant_values=255))
    return grid(np.concatenate(rows), columns)


def save_png(path, pixels):
    """Writes a uint8 array `(height, width, 1 or 3)` as a PNG file, which appears whole."""
    from PIL import Image  # slow to import, and numbers need none

    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    with whole_file(path) as temporary:
        picture.save(temporary, format="PNG")


def draw_pictures(model, test, folder, seed=0, columns=10):
    """Writes `samples.png`, `reconstructions.png` and, of codes, `usage.png`; nothing is selected.

    A model without latents has no reconstructions.

    There are no samples of a model without weights for its prior.

    Args:
        model: `ZooModel` with weights.
        test: `vqzoo.data.ImageSource`; evenly spaced images of it are reconstructed, and the usage
            of the codebook (of the finest level) is counted over all.
        folder: path of an existing folder.
        seed: int, of the samples.
        columns: int, samples of each class, one row a class, or of each row without classes;
            of more than `MOST_ROWS` classes as many are shown, evenly spaced.

    Returns:
        list of the paths.
    """
    folder, written = pathlib.Path(folder), []

    def path(name):
        written.append(folder / name)
        return written[-1]

    if model.has_prior:
        num_classes = model.prior.num_classes
        rows = min(num_classes or columns, MOST_ROWS)
        shown = None if num_classes is None else np.arange(rows) * num_classes // rows
        labels = None if shown is None else np.repeat(shown, columns).tolist()
        count = columns * rows
        samples = model.sample(count, labels=labels, seed=seed)
        save_png(path("samples.png"), grid(samples, columns))
    if not model.autoencoder.latent_shapes:
        return written
    shown = min(len(test), 2 * columns)
    images = test.take(np.arange(shown) * len(test) // shown)["image"]
    reconstructions = model.reconstruct(images)
    save_png(path("reconstructions.png"), comparison(images, reconstructions, columns))
    size = model.autoencoder.codebook_sizes[-1]
    if size is not None:
        codes = encode_source(model.autoencoder, test, "encoding test images").draws[-1]
        save_usage(path("usage.png"), usage_counts(codes, size))
    return written


def save_usage(path, counts):
    """Writes a PNG file with the share of each code, most frequent first.

    Args:
        path: str or path.
        counts: int array `(num_embeddings,)`, from `usage_counts`.
    """
    from matplotlib.figure import Figure  # without pyplot there is no window and no global state

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    shares = np.sort(counts)[::-1] / counts.sum()
    axes.stairs(shares, np.arange(len(shares) + 1) - 0.5, fill=True)
    axes.axhline(1 / len(shares), color="black", linewidth=0.8, linestyle="--", label="uniform")
    axes.set(xlabel="code, most frequent first", ylabel="share", xlim=(-0.5, len(shares) - 0.5))
    axes.legend()
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
