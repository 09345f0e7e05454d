"""What a grid is made of: each variant is an entry of the zoo, and nothing but data."""

from vqzoo import config as configs
from vqzoo.models.discrete_vae import STRIDE

VARIANTS = (
    "quantized_marginal",
    "quantized_joint",
    "quantized_uniform",
    "categorical_marginal",
    "categorical_joint",
    "categorical_uniform",
)
"""Of `discrete_vae`: Table 1 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior?"""

GRIDS = {"discrete_vae": {variant: f"dvae_{variant}_fashion_mnist" for variant in VARIANTS}}
"""Entries by the name of a grid and of a variant.

Of each seed the first variant is trained first: the scale of its likelihood is fitted, and the
others are given the same one, so that none gains by a scale of its own.
"""


def arguments(config):
    """The three arguments that make a variant: dict of `posterior`, `prior` and `training`."""
    prior = config["prior"].get("network", config["prior"])["family"]
    training = "joint" if "joint" in config["training"] else "marginal"
    return {"posterior": config["autoencoder"]["posterior"], "prior": prior, "training": training}


def with_images(config, data, num_images, epochs):
    """A copy of an entry's configuration for other images, of which every stage sees all alike.

    A PixelCNN++ halves its resolution as often as leaves maps with sides of four codes or more.

    Args:
        config: dict, an entry's configuration.
        data: dict, its section `data`.
        num_images: int, training images.
        epochs: int, passes over them.
    """
    stages = {
        name: {**stage, "steps": max(1, round(epochs * num_images / stage["batch_size"]))}
        for name, stage in config["training"].items()
    }
    adapted = {**config, "data": data, "training": stages}
    if "num_downsamplings" in config["prior"].get("network", {}):
        side = min(data["image_shape"][:2]) // STRIDE
        halvings = min(2, max(0, side.bit_length() - 3))
        adapted = configs.merge(adapted, {"prior": {"network": {"num_downsamplings": halvings}}})
    return adapted


def with_seed(config, seed, scale):
    """A copy with `seed` added to all seeds, and `scale` in grey levels, or None to fit one."""
    autoencoder = {**config["autoencoder"], "scale": scale}
    autoencoder["seed"] += seed
    stages = {
        name: {**stage, "seed": stage["seed"] + seed} for name, stage in config["training"].items()
    }
    return {**config, "autoencoder": autoencoder, "training": stages}


def with_parts(config, autoencoder, network):
    """A copy with other arguments of the autoencoder, and of the prior's network if it has one."""
    changes = {"autoencoder": autoencoder}
    if "network" in config["prior"]:
        changes["prior"] = {"network": network}
    return configs.merge(config, changes)
