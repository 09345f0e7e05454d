"""The claims of Jones and Moore: verdicts and a page on made-up figures."""

import json
import sys

import numpy as np
import pytest

from benchmarks.s0_claims import __main__ as command
from benchmarks.s0_claims import claims
from benchmarks.s0_claims.own_scale import gain
from vqzoo.evaluation.pictures import save_png
from vqzoo.grid.report import table
from vqzoo.grid.variants import VARIANTS

BITS = dict(zip(VARIANTS, (5.35, 5.45, 5.6, 6.0, 5.39, 5.7), strict=True))
"""The paper's own order, with its two figures."""
RARE = dict(zip(VARIANTS, (0.4, 0.1, 0.0, 0.6, 0.1, 0.0), strict=True))
DISTANCES = dict(zip(VARIANTS, (20.0, 25.0, 90.0, 40.0, 24.0, 80.0), strict=True))


def made_up(bits=BITS, rare=RARE, distances=DISTANCES):
    """The means of six variants, which agree with every claim unless changed."""
    found = {}
    for variant in VARIANTS:
        found[variant] = {
            "bits_per_dim.10.mean": bits[variant],
            "kl_per_code": 1.5,
            "rare_codes": rare[variant],
            "fid.samples": distances[variant],
            "fid.uniform_codes": 100.0,
            "fid.codes_between_images": 60.0,
        }
        if variant != "quantized_marginal":
            found[variant]["largest_weight"] = 0.97
    return found


def verdicts(**changes):
    """Whether each claim is held, in their order, of one data set."""
    return [verdict.held for verdict in claims.judge({"made up": made_up(**changes)})]


def test_the_paper_s_own_order_agrees_with_every_claim():
    assert verdicts() == [True] * 11


@pytest.mark.parametrize(
    ("variant", "bits", "held"),
    [
        ("quantized_joint", 5.3, [False, False, True, True]),  # a better one than the VQ-VAE
        ("quantized_joint", 5.37, [True, False, True, True]),  # joint is third
        ("categorical_joint", 5.5, [True, False, True, True]),  # nearer to the uniform ones
        ("categorical_uniform", 5.38, [True, False, False, True]),
        ("categorical_marginal", 5.65, [True, True, True, False]),
    ],
)
def test_bits_decide_the_first_four(variant, bits, held):
    assert verdicts(bits={**BITS, variant: bits})[:4] == held


def test_unused_codes_and_distances_decide_others():
    assert verdicts(rare={**RARE, "quantized_joint": 0.5})[5:7] == [False, False]
    assert verdicts(rare={**RARE, "quantized_marginal": 0.7})[5:7] == [True, False]
    changed = verdicts(distances={**DISTANCES, "categorical_joint": 19.0})
    assert (changed[4], changed[8]) == (True, False)
    assert not verdicts(distances={**DISTANCES, "categorical_marginal": 85.0})[4]
    assert not verdicts(distances={**DISTANCES, "quantized_marginal": 31.0})[9]


def test_second_most_unused_codes_are_no_tie():
    none = dict.fromkeys(VARIANTS, 0.0) | {"categorical_marginal": 0.6}
    assert not verdicts(rare=none)[6]
    assert not verdicts(rare={**RARE, "quantized_joint": 0.4})[6]


@pytest.mark.parametrize(("key", "value", "place"), [("kl_per_code", 0.05, 7), ("largest_weight", 0.8, 10)])
def test_one_variant_decides(key, value, place):
    means = made_up()
    means["categorical_uniform"][key] = value
    held = [verdict.held for verdict in claims.judge({"made up": means})]
    assert held == [index != place for index in range(11)]


def test_every_data_set_must_agree_and_a_missing_variant_leaves_it_open():
    grids = {"one": made_up(), "two": made_up(bits={**BITS, "categorical_joint": 5.3})}
    first = claims.judge(grids)[0]
    assert first.held is False and len(first.seen) == 2
    part = made_up()
    del part["categorical_uniform"]
    found = [verdict.held for verdict in claims.judge({"part": part})]
    assert found[:4] == [None] * 4 and found[9] is True


def test_the_command_writes_a_page_with_figures_and_pictures(tmp_path, monkeypatch, capsys):
    folder, page = tmp_path / "grid", tmp_path / "docs" / "s0_claims.md"
    folder.mkdir()
    images = {"test": 300, "bounds": 200, "bounds_of_few": 100}
    scores = {"images": images, "decoder_bits_per_dim": 6.5, "scale": 20.0}
    result = {"scores": scores, "wall_seconds": {"joint": 1800, "evaluation": 1800}}
    result |= {"machine": "an abacus", "commit": "0123456789"}
    content = {
        "settings": {"data": str(tmp_path / "images"), "images": 70, "epochs": 3},
        "variants": {
            name: {"paper_bits_per_dim": None, "mean": mean, "spread": {}, "seeds": {"0": result}}
            for name, mean in made_up().items()
        },
    }
    (folder / "grid.json").write_text(json.dumps(content))
    pictures = {"bits.png", "usage.png", "samples_quantized_joint.png"}
    for name in pictures:
        save_png(folder / name, np.full((2, 3, 1), 255, "uint8"))
    page.parent.mkdir()
    monkeypatch.setattr(
        sys, "argv", ["s0_claims", f"Fashion-MNIST={folder}", "--page", str(page)]
    )
    command.main()
    text = page.read_text()
    assert table(content["variants"]) in text and "**held** (one data set)" in text
    beside = page.with_suffix("") / "fashion_mnist"
    assert {path.name for path in beside.iterdir()} == pictures | {"grid.json"}
    for name in pictures:
        assert f"](s0_claims/fashion_mnist/{name})" in text
    assert "70 training images, 3 epochs in every stage, 1 seed." in text
    assert "200 of 300 test images, of 100 for S=100. an abacus: 6.0 hours" in text
    assert "0123456." in text
    assert f"quantized_joint {gain(6.5, 20.0):.3f}, " in text
    assert str(tmp_path) not in (beside / "grid.json").read_text(), "a path of this machine"
    assert "5.350" in capsys.readouterr().out


def test_gain_of_a_scale_of_its_own():
    errors = np.random.default_rng(0).normal(0, 24, 1000)

    def bits(scale):
        density = np.exp(-(errors**2) / (2 * scale**2)) / np.sqrt(2 * np.pi) / scale
        return -np.mean(np.log2(density))

    own = np.sqrt(np.mean(errors**2))
    assert gain(bits(19.0), 19.0) == pytest.approx(bits(19.0) - bits(own), rel=1e-9)
    assert gain(bits(own), own) == pytest.approx(0, abs=1e-12)


def test_a_folder_without_a_grid_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["s0_claims", f"Mine={tmp_path}"])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert "is no NAME=FOLDER of a grid" in capsys.readouterr().err
