"""The entries of a paper's own sizes hold what its tables say; nothing of them is allocated."""

import math

import pytest
from benchmarks.shapes_only import shapes_only

import vqzoo
from vqzoo.config import load_config

PRIOR_ROWS = {
    "filters": "hidden units",
    "residual_filters": "residual units",
    "num_layers": "layers",
    "attention": "attention layers",
    "kernel_size": "conv filter size",
    "dropout": "dropout",
    "output_blocks": "output stack layers",
    "num_blocks": "conditioning stack residual blocks",
    "batch_size": "batch size",
    "steps": "training steps",
}
"""What the rows of Tables 3 and 4 of arXiv:1906.00446 are called here."""

TABLES = {
    "vqvae2_imagenet_paper": """
        hidden units | 512 | 512
        residual units | 2048 | 1024
        layers | 20 | 20
        attention layers | 4 | 0
        conv filter size | 5 | 5
        dropout | 0.1 | 0.1
        output stack layers | 20 | 0
        conditioning stack residual blocks | - | 20
        batch size | 1024 | 512
        training steps | 1600000 | 754000""",
    "vqvae2_ffhq_paper": """
        hidden units | 512 | 512 | 512
        residual units | 2048 | 1024 | 1024
        layers | 20 | 20 | 10
        attention layers | 4 | 1 | 0
        conv filter size | 5 | 5 | 5
        dropout | 0.5 | 0.3 | 0.25
        output stack layers | 0 | 0 | 0
        conditioning stack residual blocks | - | 8 | 8
        batch size | 1024 | 512 | 256
        training steps | 237000 | 57400 | 270000""",
}
"""Tables 3 and 4, a row a line, a level a column, coarse to fine; "-" of an output stack is 0."""


@pytest.fixture(scope="module")
def models():
    """The entries' models at full size, with shapes in place of weights."""
    with shapes_only():
        return {name: vqzoo.create(name) for name in TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_priors_are_those_of_the_tables(name):
    config = load_config(name)
    rows = dict(line.split(" | ", 1) for line in TABLES[name].strip().split("\n"))
    rows = {row.strip(): values.split(" | ") for row, values in rows.items()}
    stages = zip(config["prior"]["levels"], config["training"]["prior"], strict=True)
    for column, (level, stage) in enumerate(stages):
        found = stage | level["network"] | {"attention": len(level["network"]["attention_after"])}
        found["num_blocks"] = level.get("conditioning", {}).get("num_blocks", "-")
        for key, row in PRIOR_ROWS.items():
            assert str(found[key]) == rows[row][column], f"{row} of level {column}"
        if column:
            assert level["conditioning"]["dropout"] == found["dropout"]
        else:
            assert found["num_heads"] == 8


@pytest.mark.parametrize(
    ("name", "side", "maps", "steps"),
    [
        ("vqvae2_imagenet_paper", 256, [32, 64], 2_207_444),
        ("vqvae2_ffhq_paper", 1024, [32, 64, 128], 304_741),
    ],
)
def test_autoencoders_are_those_of_table_5(models, name, side, maps, steps):
    model = models[name]
    own, stage = model.config["autoencoder"], model.config["training"]["autoencoder"]
    assert model.autoencoder.image_shape == (side, side, 3)
    assert model.autoencoder.latent_shapes == [(each, each) for each in maps]
    assert (own["commitment_cost"], own["num_residual_blocks"]) == (0.25, 2)
    assert (own["filters"], own["residual_filters"]) == (128, 64)
    assert (own["num_embeddings"], own["embedding_dim"]) == (512, 64)
    assert (stage["batch_size"], stage["steps"]) == (128, steps)


def test_codes_are_as_few_as_the_paper_says(models):
    """Figure 3, which counts codes against bytes, and "over 30 times" for the smaller model."""
    faces = models["vqvae2_ffhq_paper"].autoencoder
    values = math.prod(faces.image_shape)
    codes = [math.prod(shape) for shape in faces.latent_shapes]
    assert [values / number for number in codes] == [3072, 768, 192]
    bits = [math.log2(size) * number for size, number in zip(faces.codebook_sizes, codes)]
    assert [round(values * 8 / each) for each in bits] == [2731, 683, 171]
    photographs = models["vqvae2_imagenet_paper"].autoencoder
    bits = sum(math.prod(shape) * 9 for shape in photographs.latent_shapes)
    assert round(256 * 256 * 3 * 8 / bits, 1) == 34.1


def block_weights(hidden, inner, classes, features):
    """Weights of a `CausalResidualBlock` with windows of 5 x 5, written out for each stack."""
    vertical, horizontal = 3 * 5 * hidden * inner, 3 * hidden * inner
    from_vertical = hidden * inner
    gates = 2 * (inner * 2 * hidden + 2 * hidden)
    conditions = (classes + features) * 2 * hidden  # one vector for both stacks
    return vertical + horizontal + from_vertical + 2 * inner + gates + conditions


@pytest.mark.parametrize(
    ("name", "level", "layers", "inner", "classes", "features"),
    [
        ("vqvae2_imagenet_paper", 0, 20, 2048, 1000, 0),
        ("vqvae2_imagenet_paper", 1, 20, 1024, 1000, 512),
        ("vqvae2_ffhq_paper", 0, 20, 2048, 0, 0),
        ("vqvae2_ffhq_paper", 2, 10, 1024, 0, 512),
    ],
)
def test_weights_of_the_causal_blocks(models, name, level, layers, inner, classes, features):
    network = models[name].prior.levels[level].network
    blocks = network.gated_layers[1:]
    assert [block.count_params() for block in blocks] == layers * [
        block_weights(512, inner, classes, features)
    ]
