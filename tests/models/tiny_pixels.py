"""A pixel model of milliseconds whose pixels depend on each other."""

import keras
import numpy as np

import vqzoo.config
import vqzoo.zoo
from vqzoo.models.pixel_model import PixelModel

ARGUMENTS = {
    "image_shape": [4, 6, 3],
    "filters": 4,
    "num_blocks": 1,
    "num_downsamplings": 1,
    "dropout": 0.0,
    "num_components": 2,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 6, 3), dtype="uint8")


def new_model(**changes):
    """A model whose random weights are large enough for its outputs to vary."""
    model = PixelModel(**{**ARGUMENTS, **changes})
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return model


def zoo_model(**changes):
    """A `ZooModel` around `new_model`, of a data set that has classes."""
    arguments = {**ARGUMENTS, **changes}
    config = {
        "data": {"image_shape": arguments.pop("image_shape"), "class_names": ["boot", "bag"]},
        "autoencoder": {"family": "PixelModel", **arguments},
        "prior": {"family": "NoPrior"},
        "training": {
            "autoencoder": {"learning_rate": 1e-3, "batch_size": 4, "steps": 2, "seed": 0}
        },
    }
    vqzoo.config.check(config)
    keras.utils.set_random_seed(0)
    model = vqzoo.zoo.build(config)
    model.autoencoder.set_weights(new_model(**changes).get_weights())
    return model
