"""What a grid reports of scores that are known."""

import json

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from vqzoo.grid.report import table, write_report

SETTINGS = {"grid": "discrete_vae"}


def scores(bits, counts, **more):
    """Scores of a cell whose bits per dimension fall a little with the number of draws."""
    means = {"1": bits, "10": bits - 0.1, "100": bits - 0.2}
    by_draws = {key: {"mean": mean, "standard_error": 0.01} for key, mean in means.items()}
    rare = float(np.mean(np.array(counts) < 1e-4 * sum(counts)))
    return {
        "bits_per_dim": {key: by_draws[key] for key in ("1", "10")},
        "bits_per_dim_of_few": by_draws,
        "rare_codes": rare,
        "usage_counts": counts,
        **more,
    }


def write_cell(folder, variant, seed, found, posterior="quantized", training="autoencoder"):
    cell = folder / f"{variant}-seed{seed}"
    cell.mkdir()
    paper = {"numbers": {"celeb_a_64_bits_per_dim": 5.35}} if training == "autoencoder" else {}
    config = {
        "paper": paper,
        "autoencoder": {"posterior": posterior},
        "prior": {"family": "UniformPrior"},
        "training": {training: {}},
    }
    content = {"name": cell.name, "scores": found, "config": config}
    (cell / "scores.json").write_text(json.dumps(content))
    for name in ("samples", "codes"):
        Image.fromarray(np.full((4, 4), 10 * seed, "uint8")).save(cell / f"{name}.png")


@pytest.fixture
def cells(tmp_path):
    for seed, bits in enumerate((3.0, 4.0)):
        found = scores(bits, [8, 0, 0, 2], perplexity=10 * bits)
        write_cell(tmp_path, "quantized_marginal", seed, found)
    joint = scores(2.0, [3, 3, 3, 1], largest_weight=0.95)
    write_cell(tmp_path, "categorical_joint", 1, joint, "categorical", "joint")
    for other in ("categorical_joint-seed0", "categorical_joint-seed1-copy"):  # not finished, none
        (tmp_path / other).mkdir()
    return tmp_path


def test_means_and_spreads_are_over_seeds(cells):
    found = write_report(cells, SETTINGS)["variants"]
    assert list(found) == ["quantized_marginal", "categorical_joint"]
    first, second = found.values()
    assert first["mean"]["bits_per_dim.1.mean"] == 3.5
    assert first["spread"]["bits_per_dim.1.mean"] == pytest.approx(0.5**0.5)  # n - 1
    assert (second["mean"]["bits_per_dim.10.mean"], second["spread"]) == (1.9, {})
    assert first["paper_bits_per_dim"] == 5.35 and second["paper_bits_per_dim"] is None
    assert [list(each["seeds"]) for each in found.values()] == [["0", "1"], ["1"]]
    assert (second["posterior"], second["prior"], second["training"]) == (
        "categorical", "UniformPrior", "joint",
    )  # fmt: skip


def test_a_score_that_not_all_seeds_have_has_no_mean(cells):
    """Such as one that is not finite, which a file holds as null."""
    write_cell(cells, "categorical_joint", 2, scores(2.2, [4, 3, 2, 1], largest_weight=None),
               "categorical", "joint")  # fmt: skip
    found = write_report(cells, SETTINGS)["variants"]["categorical_joint"]
    assert found["mean"]["bits_per_dim.1.mean"] == pytest.approx(2.1)
    assert "largest_weight" not in found["mean"]


def test_the_table_has_a_row_for_each_variant_and_no_empty_column(cells):
    text = table(write_report(cells, SETTINGS)["variants"])
    assert (cells / "table.md").read_text() == text
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines) == 4
    cut = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cut[0] == ["variant", "paper (CelebA 64x64)", "bits/dim, S=1", "S=10", "S=100, of few",
                      "perplexity", "codes < 1e-4", "largest weight"]  # fmt: skip
    assert cut[2] == ["quantized_marginal", "5.35", "3.500 ± 0.707", "3.400 ± 0.707",
                      "3.300 ± 0.707", "35.0 ± 7.1", "0.500 ± 0.000", ""]  # fmt: skip
    assert cut[3] == ["categorical_joint", "", "2.000", "1.900", "1.800", "", "0.000", "0.950"]


def test_pictures_of_the_first_finished_seed_are_taken(cells):
    write_report(cells, SETTINGS)
    assert np.asarray(Image.open(cells / "samples_quantized_marginal.png"))[0, 0] == 0
    assert np.asarray(Image.open(cells / "codes_categorical_joint.png"))[0, 0] == 10


def test_the_histogram_counts_codes_and_its_line_is_the_uniform_share(cells, monkeypatch):
    drawn, lines = [], []
    monkeypatch.setattr(Axes, "stairs", lambda *args, **_: drawn.append(args[1:3]))
    monkeypatch.setattr(Axes, "axvline", lambda *args, **_: lines.append(args[1]))
    monkeypatch.setattr(Axes, "legend", lambda *args, **_: None)
    write_report(cells, SETTINGS)
    assert lines == [0.25, 0.25] and len(drawn) == 3
    all_shares = [0.8, 0, 0, 0.2], [0.8, 0, 0, 0.2], [0.3, 0.3, 0.3, 0.1]
    for (bars, edges), shares in zip(drawn, all_shares, strict=True):
        assert bars.sum() == 4, "no code is lost"
        for low, high, count in zip(edges, edges[1:], bars, strict=False):
            assert count == sum(low <= share < high for share in shares)


def test_codes_far_beyond_the_axis_are_in_the_last_bar(tmp_path):
    write_cell(tmp_path, "quantized_marginal", 0, scores(3.0, [1000] + [0] * 63))
    write_report(tmp_path, SETTINGS)
    assert Image.open(tmp_path / "usage.png").size[0] > 100
