"""Distributions of latents; importing this package registers them for loading saved models."""

from vqzoo.checks import checked_choice, shown
from vqzoo.priors.autoregressive_prior import AutoregressivePrior
from vqzoo.priors.hierarchical_prior import HierarchicalPrior
from vqzoo.priors.no_prior import NoPrior
from vqzoo.priors.standard_normal_prior import StandardNormalPrior
from vqzoo.priors.uniform_prior import UniformPrior

FAMILIES = {
    family.__name__: family
    for family in (
        AutoregressivePrior,
        HierarchicalPrior,
        NoPrior,
        StandardNormalPrior,
        UniformPrior,
    )
}
"""The priors that a config can name."""


def create(config, autoencoder, num_classes=None):
    """Builds the prior that a config describes, for the latents of an autoencoder.

    Args:
        config: mapping such as `{"family": "AutoregressivePrior", "network": {"family":
            "GatedPixelCNN", "filters": 64}}` or `{"family": "UniformPrior"}`. The key
            `conditional` has had its say in `num_classes`.
        autoencoder: has `latent_shapes` and `codebook_sizes`, one of each for a
            level; a codebook's size is None for a level of vectors.
        num_classes: int, or `None` for an unconditional prior.

    Raises:
        ValueError: if a family is not known or does not fit the autoencoder's levels.
    """
    if not isinstance(config, dict):
        raise TypeError(f"`config` must be a dict that names a `family`. Received: {shown(config)}")
    arguments = {key: value for key, value in config.items() if key != "conditional"}
    family = checked_choice(arguments.pop("family", None), "family", sorted(FAMILIES))
    return FAMILIES[family].for_latents(
        autoencoder.latent_shapes, autoencoder.codebook_sizes, num_classes, **arguments
    )
