"""Priors from configurations."""

import types

import pytest

from vqzoo import priors

ONE_LEVEL = types.SimpleNamespace(latent_shapes=[(5, 9)], codebook_sizes=[16])
VECTORS = types.SimpleNamespace(latent_shapes=[(5,)], codebook_sizes=[None])
TWO_LEVELS = types.SimpleNamespace(latent_shapes=[(2, 3), (4, 6)], codebook_sizes=[16, 8])


def test_autoregressive():
    network = {"family": "GatedPixelCNN", "filters": 8, "num_layers": 2}
    config = {"family": "AutoregressivePrior", "network": network}
    prior = priors.create(config, ONE_LEVEL, 10)
    assert prior.latent_shape == (5, 9) and prior.num_classes == 10
    assert (prior.network.num_embeddings, prior.network.filters) == (16, 8)
    assert config["network"]["family"] == "GatedPixelCNN", "the config is not the prior's to change"
    assert prior.trainable_stage


def test_uniform():
    prior = priors.create({"family": "UniformPrior"}, TWO_LEVELS, None)
    assert prior.latent_shapes == [(2, 3), (4, 6)] and prior.codebook_sizes == [16, 8]


@pytest.mark.parametrize(
    "config, autoencoder, named",
    [
        ({}, ONE_LEVEL, "`family`"),
        ({"family": "Unifrom"}, ONE_LEVEL, "`family`"),
        ({"family": "AutoregressivePrior", "network": {}}, ONE_LEVEL, "`network.family`"),
        (
            {"family": "AutoregressivePrior", "network": {"family": "GatedPixelCNN"}},
            TWO_LEVELS,
            "`codebook_sizes`",
        ),
        (
            {"family": "AutoregressivePrior", "network": {"family": "GatedPixelCNN"}},
            VECTORS,
            "`codebook_sizes`",
        ),
        ({"family": "UniformPrior"}, VECTORS, "`codebook_sizes`"),
        ({"family": "StandardNormalPrior"}, ONE_LEVEL, "`codebook_sizes`"),
    ],
)
def test_errors_name_the_argument(config, autoencoder, named):
    with pytest.raises(ValueError, match=named):
        priors.create(config, autoencoder)
