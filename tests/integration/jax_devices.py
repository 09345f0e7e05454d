"""Two steps of stage 1 on one device and on all that JAX has: `jax_devices.py OUTPUT`."""

import sys

import keras
import numpy as np

from vqzoo.models import FAMILIES

ARGUMENTS = {
    "image_shape": (8, 12, 1),
    "num_embeddings": 32,
    "embedding_dim": 4,
    "filters": 8,
    "residual_filters": 4,
    "codebook_init": "kmeans",
    "restart_threshold": 0.995,  # moves the codes that the first batch leaves out
    "seed": 5,
}


def train():
    """dict of weights and logs by name, after two batches of 8 images."""
    keras.utils.set_random_seed(1)
    model = FAMILIES["VQVAE"](**ARGUMENTS)
    model.compile(keras.optimizers.SGD(0.1))
    images = np.random.default_rng(2).integers(0, 256, (16, 8, 12, 1)).astype("uint8")
    logs = model.fit(images, batch_size=8, shuffle=False, verbose=0).history
    kernel = model.encoder.get_layer("project").kernel.value
    found = {"devices": len(kernel.sharding.device_set)}
    found |= {f"log {name}": value for name, value in logs.items()}
    for index, weight in enumerate(model.weights):
        found[f"{index} {weight.name}"] = keras.ops.convert_to_numpy(weight)
    return found



if __name__ == "__main__":
    results = {f"one {name}": value for name, value in train().items()}
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    results |= {f"all {name}": value for name, value in train().items()}
    np.savez(sys.argv[1], **results)
