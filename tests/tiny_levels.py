"""A tiny zoo model of two levels of codes, whose codes and samples differ from image to image."""

import keras
import numpy as np

from vqzoo import zoo

NETWORK = {"family": "GatedPixelCNN", "filters": 8, "num_layers": 2, "first_kernel_size": 3}
STAGE = {"learning_rate": 1.0e-3, "batch_size": 4, "steps": 2, "seed": 1}


def tiny_levels(class_names, image_shape=(8, 16, 3)):
    """A ZooModel with random weights: codes of 2 x 4 and 4 x 8 out of 12 each."""
    config = {
        "data": {"image_shape": list(image_shape), "class_names": class_names},
        "autoencoder": {
            "family": "VQVAE2",
            "bottom_stride": 2,
            "num_embeddings": 12,
            "embedding_dim": 4,
            "filters": 8,
            "residual_filters": 8,
            "num_residual_blocks": 1,
        },
        "prior": {
            "family": "HierarchicalPrior",
            "levels": [
                {"network": NETWORK},
                {"network": NETWORK, "conditioning": {"filters": 4, "num_blocks": 1}},
            ],
        },
        "training": {"autoencoder": STAGE, "prior": [STAGE, STAGE]},
    }
    keras.utils.set_random_seed(1)
    model = zoo.build(config)
    rng = np.random.default_rng(2)
    for weight in model.prior.weights:  # far from its start, where all codes are as likely
        fan_in = np.prod(weight.shape[:-1])
        weight.assign(rng.normal(scale=1.5 / np.sqrt(fan_in), size=weight.shape))
    for quantizer in model.autoencoder.quantizers:  # as far from each other as features are
        quantizer.codebook.assign(rng.normal(scale=0.1, size=quantizer.codebook.shape))
    return model
