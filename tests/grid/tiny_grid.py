"""A grid of seconds: images of 8 x 8 pixels, and networks that are as small as they can be."""

import numpy as np
from PIL import Image

from vqzoo.grid import Grid

PARTS = {
    "autoencoder": {
        "num_embeddings": 8,
        "embedding_dim": 4,
        "filters": 4,
        "residual_filters": 4,
        "num_residual_blocks": 1,
    },
    "network": {"family": "GatedPixelCNN", "filters": 4, "num_layers": 1, "head_filters": 4},
}


def write_images(folder, side=8):
    """24 images to train on and 12 to test, noisy stripes."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 12)):
        (folder / split).mkdir(parents=True)
        for i in range(count):
            stripes = np.where(np.arange(side) % (3 + i % 2) < 2, 60, 180)[:, None]
            pixels = stripes + generator.normal(0, 10, (side, side))
            Image.fromarray(pixels.astype("uint8")).save(folder / split / f"{i}.png")


def tiny(data, folder, **arguments):
    """A `Grid` of it; in its `smoke`, since only few images are then scored."""
    arguments = {"images": 24, "epochs": 2, "seeds": 1, "smoke": True, **PARTS, **arguments}
    return Grid("discrete_vae", data=data, folder=folder, **arguments)
