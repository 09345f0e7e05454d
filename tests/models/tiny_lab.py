"""A tiny discrete VAE whose codes can be enumerated, in any of its variants."""

import itertools
import math

import keras
import numpy as np

import vqzoo.config
import vqzoo.zoo

K = 6
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), dtype="uint8")
NETWORK = {"family": "GatedPixelCNN", "filters": 8, "num_layers": 2, "head_filters": 8}
PRIORS = {
    "uniform": {"family": "UniformPrior"},
    "autoregressive": {"family": "AutoregressivePrior", "network": NETWORK},
    "plus_plus": {
        "family": "AutoregressivePrior",
        "network": {
            "family": "PixelCNNPlusPlus",
            "filters": 4,
            "num_blocks": 1,
            "num_downsamplings": 1,
        },
    },
}
STAGE = {"learning_rate": 1e-2, "batch_size": 5, "steps": 4, "seed": 0}


def config(posterior="categorical", prior="autoregressive", training="joint", **changes):
    """A checked configuration: images of 8 x 8 pixels, a map of 2 x 2 codes."""
    stages = {"joint": STAGE}
    if training == "marginal":
        stages = {"autoencoder": STAGE, "prior": STAGE}
    entry = {
        "data": {"image_shape": [8, 8, 1]},
        "autoencoder": {
            "family": "DiscreteVAE",
            "posterior": posterior,
            "num_embeddings": K,
            "embedding_dim": 3,
            "filters": 8,
            "residual_filters": 4,
            "num_residual_blocks": 1,
            "scale": 60.0,
            "seed": 0,
            **changes,
        },
        "prior": PRIORS[prior],
        "training": stages,
    }
    vqzoo.config.check(entry)
    return entry


def lab(posterior="categorical", prior="autoregressive", training="joint", **changes):
    """A `ZooModel` of that configuration with weights that make codes matter."""
    keras.utils.set_random_seed(1)
    model = vqzoo.zoo.build(config(posterior, prior, training, **changes))
    model._has_prior = True
    # Larger than at the start, so that codes matter to images and to each other.
    weight = model.autoencoder.decoder.weights[0]
    weight.assign(4 * weight)
    for weight in model.prior.weights:
        if len(weight.shape) > 1:
            weight.assign(1.5 * weight)
    return model


def calm_lab(posterior):
    """A `lab` whose posterior is close to p(z | x), since images say little of codes."""
    model = lab(posterior, scale=1500.0)
    for weight in model.prior.weights:
        weight.assign(0.3 * weight)
    # Differences between the logits of codes, by what decides them.
    if posterior == "distance":
        model.autoencoder.bottleneck.codebook.assign(0.2 * model.autoencoder.bottleneck.codebook)
    else:
        model.autoencoder.encoder.weights[-2].assign(2 * model.autoencoder.encoder.weights[-2])
    return model


def all_codes():
    """Every map of 2 x 2 codes: int32 `(K ** 4, 2, 2)`."""
    return np.array(list(itertools.product(range(K), repeat=4)), "int32").reshape(-1, 2, 2)


def log_joint(model, image):
    """log p(x, z) of one image and every map, float64 `(K ** 4,)`, one map after the other."""
    codes, autoencoder = all_codes(), model.autoencoder
    scale = float(autoencoder.likelihood_scale)
    nats = np.asarray(model.prior.log_prob([codes]), "float64")
    for start in range(0, len(codes), 432):
        rows = codes[start : start + 432]
        mean = 127.5 * (1 + np.asarray(autoencoder.decoder_output([rows]), "float64"))
        squares = (image - mean) ** 2 + 1 / 12
        logs = -0.5 * squares / scale**2 - math.log(scale) - 0.5 * math.log(2 * math.pi)
        nats[start : start + 432] += logs.sum(axis=(1, 2, 3))
    return nats
