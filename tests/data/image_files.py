"""Image files that tests write: each image is one of its own, known from its number."""

import numpy as np
from PIL import Image


def picture(number, shape=(4, 6, 1)):
    """Returns random uint8 pixels of `shape` that `number` decides."""
    return np.random.default_rng(number).integers(0, 256, shape).astype("uint8")


def write_picture(path, pixels):
    """Writes uint8 pixels `[H, W, 1 or 3 or 4]` without loss, making folders as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path)


def write_folder(folder, names, shape=(4, 6, 1)):
    """Writes `picture(i)` under the i-th of the names relative to `folder`."""
    for number, name in enumerate(names):
        write_picture(folder / name, picture(number, shape))
