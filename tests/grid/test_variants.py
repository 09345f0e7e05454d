"""Variants as data: what they are made of, and what a grid changes in their entries."""

import copy

import pytest

from vqzoo import config as configs
from vqzoo.grid.variants import GRIDS, arguments, with_images, with_parts, with_seed

TABLE_1 = {
    "quantized_marginal": ("quantized", "PixelCNNPlusPlus", "marginal"),
    "quantized_joint": ("distance", "PixelCNNPlusPlus", "joint"),
    "quantized_uniform": ("distance", "UniformPrior", "joint"),
    "categorical_marginal": ("categorical", "PixelCNNPlusPlus", "marginal"),
    "categorical_joint": ("categorical", "PixelCNNPlusPlus", "joint"),
    "categorical_uniform": ("categorical", "UniformPrior", "joint"),
}
"""Posterior, prior and training of each."""


@pytest.fixture(scope="module")
def entries():
    return {name: configs.load_config(entry) for name, entry in GRIDS["discrete_vae"].items()}


def test_the_variants_are_those_of_the_paper(entries):
    found = {name: tuple(arguments(config).values()) for name, config in entries.items()}
    assert found == TABLE_1
    assert next(iter(entries)) == "quantized_marginal", "its scale is that of all"


def test_the_variants_differ_in_these_arguments_alone(entries):
    parts = []
    for config in entries.values():
        own = {k: v for k, v in config["autoencoder"].items() if k not in ("posterior", "scale")}
        stages = {**config["training"].get("joint", config["training"].get("autoencoder"))}
        parts.append((own, stages, config["data"]))
        network = config["prior"].get("network")
        assert network in (None, entries["quantized_marginal"]["prior"]["network"])
    assert all(part == parts[0] for part in parts)


def test_every_stage_sees_the_images_equally_often(entries):
    data = {"image_shape": [8, 8, 1]}
    for config in entries.values():
        before = copy.deepcopy(config)
        found = with_images(config, data, num_images=1000, epochs=3)
        for name, stage in found["training"].items():
            assert stage["steps"] == round(3000 / before["training"][name]["batch_size"])
        assert found["data"] == data and config == before
    assert with_images(config, data, 1, 1)["training"]["joint"]["steps"] == 1


@pytest.mark.parametrize(("side", "halvings"), [(28, 0), (32, 1), (64, 2), (256, 2), (4, 0)])
def test_a_prior_halves_its_resolution_down_to_four_codes(entries, side, halvings):
    for config in entries.values():
        found = with_images(config, {"image_shape": [side, 2 * side, 3]}, 10, 1)["prior"]
        if "network" in found:
            assert found["network"]["num_downsamplings"] == halvings
        assert {**found, "network": 0} == {**config["prior"], "network": 0}


def test_a_seed_moves_all_seeds(entries):
    for config in entries.values():
        found = with_seed(config, 5, 12.5)
        assert found["autoencoder"]["scale"] == 12.5
        assert found["autoencoder"]["seed"] == config["autoencoder"]["seed"] + 5
        for name, stage in config["training"].items():
            assert found["training"][name] == {**stage, "seed": stage["seed"] + 5}


def test_other_parts_go_where_there_are_such(entries):
    network = {"family": "GatedPixelCNN", "num_layers": 3}
    for config in entries.values():
        config = {**config, "smoke": {}}  # of the entry's own network
        found = with_parts(config, {"filters": 8}, network)
        configs.check(found)
        assert found["autoencoder"] == {**config["autoencoder"], "filters": 8}
        assert found["prior"].get("network", network) == network
        assert ("network" in found["prior"]) == ("network" in config["prior"])
