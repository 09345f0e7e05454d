"""Zoo models that export in seconds and whose codes and samples differ from image to image."""

import keras
import numpy as np

from vqzoo import zoo

IMAGE_SHAPE = (8, 12, 3)
CLASSES = ["circle", "square", "star"]
NETWORK = {"family": "GatedPixelCNN", "filters": 8, "num_layers": 2, "first_kernel_size": 3}
UNIFORM = {"family": "UniformPrior"}


def random_images(count, image_shape=IMAGE_SHAPE, seed=0):
    """uint8 images `(count, *image_shape)`: a random colour with little noise on it."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 206, (count, 1, 1, image_shape[-1]))
    return (colours + rng.integers(0, 50, (count, *image_shape))).astype("uint8")


def tiny_model(class_names=CLASSES, prior=None, image_shape=IMAGE_SHAPE):
    """A ZooModel with random weights and a codebook of its encoder's own vectors."""
    config = {
        "data": {"image_shape": list(image_shape), "class_names": class_names},
        "autoencoder": {
            "family": "VQVAE",
            "num_embeddings": 24,
            "embedding_dim": 4,
            "filters": 8,
            "residual_filters": 8,
            "num_residual_blocks": 1,
        },
        "prior": prior or {"family": "AutoregressivePrior", "network": NETWORK},
    }
    keras.utils.set_random_seed(1)
    model = zoo.build(config)
    rng = np.random.default_rng(2)
    for weight in model.prior.weights:  # far from its start, where all codes are as likely
        fan_in = np.prod(weight.shape[:-1])
        weight.assign(rng.normal(scale=1.5 / np.sqrt(fan_in), size=weight.shape))
    vectors = model.autoencoder.encoder.predict(random_images(24, image_shape), verbose=0)
    vectors = vectors.astype("float32")[:, 0, 0]
    model.autoencoder.quantizer.codebook.assign(vectors)
    decoder = model.autoencoder.decoder
    spread = 1 / decoder.predict(vectors[:, None, None], verbose=0).std()
    last = decoder.get_layer("full").kernel
    last.assign(last * spread)  # else all images are grey
    return model
