"""What a published entry answers to a fixed input: `python -m tests.golden NAME` writes it down."""

import pathlib
import sys

import numpy as np
from PIL import Image

import vqzoo
from vqzoo import zoo

FILE, SEED = "golden.npz", 0


def answers(name):
    """dict of arrays: latents of the entry's example images, and of ten samples, one a class."""
    model, folder = vqzoo.load(name), zoo.describe(name)["folder"]
    found = {f"encoded_{i}": level for i, level in enumerate(model.encode(examples(folder)))}
    if not model.has_prior:
        return found
    labels = np.arange(10, dtype="int32") if model.prior.num_classes else None
    sampled = model.prior.sample(10, labels=labels, seed=SEED)
    return found | {f"sampled_{i}": level for i, level in enumerate(sampled)}


def examples(folder):
    """uint8 `(images, height, width, channels)`, the sample images beside an entry's weights."""
    images = np.stack([np.asarray(Image.open(path)) for path in _paths(folder)])
    return images if images.ndim == 4 else images[..., None]


def labels(folder):
    """The class ids of the examples, with which their names begin; None of images of no class."""
    starts = [path.stem.split("_")[0] for path in _paths(folder)]
    return [int(start) for start in starts] if all(start.isdigit() for start in starts) else None


def _paths(folder):
    found = (pathlib.Path(folder) / "examples").iterdir()
    return sorted(path for path in found if path.suffix in (".png", ".webp"))


if __name__ == "__main__":
    np.savez_compressed(zoo.describe(sys.argv[1])["folder"] / FILE, **answers(sys.argv[1]))
