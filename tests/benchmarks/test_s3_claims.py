"""The paper's claims: the runs on made-up images, and the verdicts on made-up curves."""

import json
import pathlib
import sys

import numpy as np
import pytest
from tests.integration import tiny_run

from benchmarks.claims import RESULT, verdict_table, with_tables
from benchmarks.s3_claims import __main__ as command
from benchmarks.s3_claims import claims, report, training
from benchmarks.s3_claims.runs import Images, read_runs, spread
from vqzoo.evaluation.uniform_prior_bits import uniform_prior_scores
from vqzoo.training.run_folder import RunFolder

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "s3_claims.md"
TINY = """
base:
  epochs: 3
  training: {learning_rate: 1.0e-3, batch_size: 8}
  autoencoder: {family: VQVAE, codebook: loss, num_embeddings: 8, embedding_dim: 4, filters: 8,
    residual_filters: 8, num_residual_blocks: 1, batch_norm: true}
seeds: [0, 1]
runs:
  usual: {data: STRIPES}
  explodes: {data: STRIPES, training: {learning_rate: 1.0e+30}}
  vae: {data: STRIPES, autoencoder: {family: VAE, latent_dim: 3, embedding_dim: 4, filters: 8,
    residual_filters: 8, num_residual_blocks: 1}}
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Table of runs on made-up images, `Images` of them."""
    folder = tmp_path_factory.mktemp("claims")
    tiny_run.write_images(folder / "stripes")
    table = folder / "runs.yaml"
    table.write_text(TINY.replace("STRIPES", str(folder / "stripes" / "stripes.yaml")))
    return table, Images(folder, limit=40)


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """Folder of the runs of seed 0, all finished."""
    folder = tmp_path_factory.mktemp("runs")
    table, images = tiny
    command.train(read_runs(table, seeds=[0]), images, folder)
    return folder


def read(folder, name):
    return json.loads((folder / f"{name}-seed0" / RESULT).read_text())


def test_a_run_leaves_its_curve_and_its_scores(finished):
    result = read(finished, "usual")
    assert [row["epoch"] for row in result["curve"]] == [1, 2, 3] and not result["ended_early"]
    assert {"mse", "train_mse", "perplexity", "usage", "code_norm"} <= set(result["curve"][0])
    assert result["settings"]["training"]["steps"] == 15
    assert result["settings"]["images"] == {"train": 40, "test": 16, "curve": 16}
    scores = result["scores"]
    # The curve and the end are measured on the same images here.
    assert scores["mse"] == pytest.approx(result["curve"][-1]["mse"], rel=1e-5)
    assert 0 < scores["bits_per_dim"] < 20 and 0 < scores["usage"] <= 1


def test_the_latents_of_a_vae_cost_their_divergence(finished):
    scores = read(finished, "vae")["scores"]
    latent_nats = scores["prior_bits_per_dim"] * np.log(2)
    assert latent_nats and "usage" not in scores
    printed = -0.5 * np.log(2 * np.pi) - scores["mse"] / 2 + latent_nats + np.log(128)
    assert scores["legacy"]["s3_eq7_bits"] == pytest.approx(printed / np.log(2), rel=1e-6)
    codes = read(finished, "usual")["scores"]
    assert codes["prior_bits_per_dim"] == pytest.approx(4 * 3 / 64), "four codes of three bits"
    assert "| – | – |" in report.run_table([read(finished, "vae")])


def test_numbers_that_fail_end_the_run_and_not_the_command(finished):
    result = read(finished, "explodes")
    assert "Training stopped at step" in result["ended_early"] and result["scores"] is None
    assert claims.has_diverged(result) and not claims.has_diverged(read(finished, "usual"))
    assert result["ended_early"] in report.run_table([result])


def test_a_killed_run_goes_on_to_the_same_numbers(tiny, finished, tmp_path, monkeypatch):
    runs, images = read_runs(tiny[0], ["usual"], [0]), tiny[1]
    write_row = training.Curve.on_epoch_end

    def killed(curve, epoch, logs=None):
        write_row(curve, epoch, logs)
        if epoch == 1:  # its row is written, its checkpoint is not
            raise KeyboardInterrupt

    monkeypatch.setattr(training.Curve, "on_epoch_end", killed)
    with pytest.raises(KeyboardInterrupt):
        command.train(runs, images, tmp_path)
    assert not (tmp_path / "usual-seed0" / RESULT).exists()
    monkeypatch.setattr(training.Curve, "on_epoch_end", write_row)
    command.train(runs, images, tmp_path)
    again, whole = read(tmp_path, "usual"), read(finished, "usual")
    assert again["curve"] == whole["curve"] and again["scores"] == whole["scores"]


def test_finished_runs_are_kept_and_busy_ones_left_to_the_other(tiny, finished, capsys):
    table, images = tiny
    before = {path: path.stat().st_mtime_ns for path in finished.glob("*/*.json")}
    busy = finished / "usual-seed1"
    with RunFolder(busy):
        command.train(read_runs(table, ["usual"]), images, finished)
    assert {path: path.stat().st_mtime_ns for path in finished.glob("*/*.json")} == before
    assert "left out: " in capsys.readouterr().err


def test_other_settings_are_refused(tiny, finished):
    (finished / "usual-seed0" / RESULT).rename(finished / "kept.json")
    with pytest.raises(ValueError, match=r"another configuration: `images.train` is 40"):
        command.train(read_runs(tiny[0], ["usual"], [0]), Images(tiny[1].folder, 24), finished)
    (finished / "kept.json").rename(finished / "usual-seed0" / RESULT)


def test_images_are_spread_over_the_classes(tiny):
    train = tiny[1](read_runs(tiny[0])[0].data)["train"]
    labels = [int(train[i]["label"]) for i in range(len(train))]
    assert np.bincount(labels).tolist() == [20, 20]
    assert spread(train, 100) is train


def test_the_mean_image_leaves_the_variance(tiny):
    images = tiny[1](read_runs(tiny[0])[0].data)["train"]
    pixels = images.take(np.arange(len(images)))["image"] / 127.5 - 1
    expected = np.mean(np.var(pixels, axis=0))
    assert training.blank_mse(images, images) == pytest.approx(expected, rel=1e-5)


def test_the_report_is_written_for_the_runs_of_the_table(tmp_path, capsys):
    for name, seed in (("mnist", 1), ("mnist", 0), ("other", 0)):
        place = tmp_path / f"{name}-seed{seed}"
        place.mkdir()
        (place / RESULT).write_text(json.dumps(made_up(name, [0.2, 0.1], seed)))
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- verdicts -->\nold\n<!-- / -->\nb\n<!-- runs -->\n<!-- / -->\nc\n")
    command.report(tmp_path, page)
    results = json.loads((tmp_path / "results.json").read_text())
    assert [(result["name"], result["seed"]) for result in results] == [("mnist", 0), ("mnist", 1)]
    text, printed = page.read_text(), capsys.readouterr().out
    assert all(table in text and table in printed for table in report.make_tables(results).values())
    assert [text[0], text[-2]] == ["a", "c"] and "old" not in text
    assert with_tables(text, report.make_tables(results)) == text
    for place in (tmp_path, tmp_path / "page"):
        assert (place / "curves.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="must have a line `<!-- verdicts -->`"):
        with_tables("a page without tables", report.make_tables(results))


@pytest.mark.parametrize("arguments", [["--only", "mnits"], ["--images", "0"]])
def test_wrong_use_is_one_line_and_exit_2(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["s3_claims", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert f"Received: {arguments[1]!r}".replace("'0'", "0") in capsys.readouterr().err


def test_every_run_of_the_table_can_be_built():
    runs = {json.dumps(run.autoencoder): run for run in read_runs(seeds=[0])}
    for run in runs.values():
        assert training.make_model(run).image_shape == tuple(run.data["image_shape"])


def made_up(name, errors, seed=0, mse=0.02, blank=0.4):
    """A result with a curve of these held-out errors."""
    curve = [{"epoch": i + 1, "mse": error} for i, error in enumerate(errors)]
    failed = "not finite" if None in errors else None
    scores = {"mse": mse, "psnr_db": 20.0, "perplexity": 9.0, "usage": 0.5, "bits_per_dim": 3.0}
    scores |= {"blank_mse": blank, "legacy": {"s3_eq7_bits": 6.0}}
    scores = None if failed else scores
    return {"name": name, "seed": seed, "curve": curve, "ended_early": failed, "scores": scores}


def verdict(word, *results):
    (found,) = (found for found in claims.judge(results) if word in found.claim)
    return found.held


def falling(end, epochs=20):
    """Errors that fall evenly, on a log scale, from 0.4 to `end`."""
    return list(np.geomspace(0.4, end, epochs))


@pytest.mark.parametrize("frozen, held", [(0.0215, True), (0.0185, True), (0.0225, False)])
def test_similar_is_within_a_tenth(frozen, held):
    runs = made_up("mnist", falling(0.02)), made_up("mnist_frozen", falling(frozen))
    assert verdict("never trained", *runs) is held


def test_faster_is_half_of_the_epochs():
    large = made_up("mnist_batch_128", falling(0.1))
    quick, slow = made_up("mnist", falling(0.01)), made_up("mnist", falling(0.05))
    assert claims.epochs_to_reach(quick, 0.1) == 9  # 0.4 * 40 ** (-8 / 19) < 0.1
    assert verdict("Batches of 32", quick, large) is True
    assert verdict("Batches of 32", slow, large) is False
    assert claims.epochs_to_reach(slow, 0.01) is None


def test_divergence_is_growth_or_a_number_that_fails():
    stable, grown = falling(0.02, 60), [*falling(0.02, 50), *[0.041] * 10]
    failed = [*falling(0.02, 50), None]
    one = made_up("mnist", stable)
    for errors, held in ((stable, False), (grown, True), (failed, True)):
        assert verdict("β = 0.25", one, made_up("mnist_beta_quarter", errors)) is held
    both = made_up("mnist", grown), made_up("mnist_beta_quarter", grown)
    assert verdict("β = 0.25", *both) is False


def test_normalisation_is_essential_on_one_set_alone():
    good, bad = falling(0.02), falling(0.3)
    names = ["mnist", *[f"{name}_no_batch_norm" for name in ("mnist", "fashion_mnist", "cifar10")]]
    for curves, held in (
        ((good, bad, good, good), True),
        ((good, good, good, good), False),
        ((good, bad, good, bad), False),
        ((good, bad, good), None),
        ((good, good), False),
    ):
        runs = [made_up(name, curve) for name, curve in zip(names, curves)]
        assert verdict("normalisation", *runs) is held


def test_a_claim_is_held_in_every_seed_or_not():
    first = made_up("mnist", falling(0.02)), made_up("mnist_frozen", falling(0.02))
    second = made_up("mnist", falling(0.02), 1), made_up("mnist_frozen", falling(0.2), 1)
    assert verdict("never trained", *first) is True
    assert verdict("never trained", *first, second[0]) is True, "the second seed is not finished"
    assert verdict("never trained", *first, *second) is False
    assert "**held** (one seed)" in verdict_table(claims.judge(first))
    assert "**not held** (2 seeds)" in verdict_table(claims.judge([*first, *second]))
    assert verdict("never trained") is None


@pytest.mark.parametrize("name", claims.TABLE_1)
def test_the_errors_of_table_1_are_those_that_its_bits_imply(name):
    printed, implied = claims.TABLE_1[name]
    colour = name == "cifar10"
    sizes = (32 * 32 * 3, [512], [(8, 8)]) if colour else (28 * 28, [512], [(7, 7)])
    # Bits have three decimals: 0.0005 of them are 0.0007 of the error.
    assert uniform_prior_scores(implied, *sizes)["s3_eq7_bits"] == pytest.approx(printed, abs=6e-4)
    row = made_up(name, falling(0.02), mse=1.09 * implied)
    assert verdict(f"VQ-VAE on `{name}`", row) is True
    row["scores"]["mse"] = 1.11 * implied
    assert verdict(f"VQ-VAE on `{name}`", row) is False


def test_the_figures_of_the_vae():
    for bits, held in ((5.71, True), (5.73, False)):
        run = made_up("mnist_vae", falling(0.02))
        run["scores"]["legacy"]["s3_eq7_bits"] = bits
        assert verdict("1, VAE on `mnist`", run) is held
    sets = "cifar10", "mnist", "fashion_mnist"
    better = [made_up(f"{name}_vae", falling(0.02)) for name in sets]
    for run in better:
        run["scores"]["bits_per_dim"] = 2.9
    rivals = [made_up(name, falling(0.02)) for name in sets]
    assert verdict("needs fewer bits", *better, *rivals) is True
    assert verdict("needs fewer bits", *better, *rivals[:2]) is None
    rivals[0]["scores"]["bits_per_dim"] = 2.8
    assert verdict("needs fewer bits", *better, *rivals[:2]) is False


def test_the_page_shows_what_its_results_say():
    results = json.loads((PAGE.with_suffix("") / "results.json").read_text())
    text = PAGE.read_text()
    assert results and with_tables(text, report.make_tables(results)) == text
    sizes = {result["settings"]["images"]["train"] for result in results}
    assert all(f"On {size:,} training images" in text for size in sizes)
