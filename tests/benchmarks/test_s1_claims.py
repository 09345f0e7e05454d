"""The claims of VQ-VAE-2: runs on made-up images and codes, verdicts on made-up numbers."""

import json
import math
import sys

import numpy as np
import pytest
from tests.integration import tiny_run

from benchmarks.claims import RESULT
from benchmarks.s1_claims import __main__ as command
from benchmarks.s1_claims import claims, report, runs
from benchmarks.s1_claims.runs import read_runs
from vqzoo import config as configs
from vqzoo.data import CodeStore
from vqzoo.models import VQVAE2

TINY = """
seeds: [0, 1]
stages:
  autoencoder: {entry: ENTRY, steps: 6}
  prior:
    network: {family: PixelSNAIL, filters: 8, residual_filters: 8, num_layers: 2, kernel_size: 3,
      num_heads: 1, key_dim: 4, value_dim: 4}
    training: {learning_rate: 1.0e-2, batch_size: 16, steps: 60}
  speed:
    batch: 2
    autoencoder: {image_shape: [8, 8, 1], bottom_stride: 2, num_embeddings: 8, embedding_dim: 4,
      filters: 8, residual_filters: 8, num_residual_blocks: 1}
    network: {family: PixelSNAIL, filters: 8, residual_filters: 8, num_layers: 1, kernel_size: 3}
    attention_after: [1]
    conditioning: {filters: 8, residual_filters: 8, num_blocks: 1}
    pixel_rows: 1
runs:
  two_levels: {stage: autoencoder, num_levels: 2, num_embeddings: 8}
  one_level: {stage: autoencoder, num_levels: 1, num_embeddings: 13}
  attention: {stage: prior, attention_after: [1]}
  no_attention: {stage: prior, attention_after: []}
  speed: {stage: speed}
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Table of runs, and their sources: images, and codes that repeat the first of their map."""
    folder = tmp_path_factory.mktemp("s1")
    tiny_run.write_images(folder / "images")
    table = folder / "runs.yaml"
    table.write_text(TINY.replace("ENTRY", str(folder / "images" / "levels.yaml")))
    coarse = np.repeat(np.arange(120) % 4, 16).reshape(120, 4, 4)
    batch = {"codes_0": coarse, "codes_1": np.zeros((120, 8, 8), int), "labels": np.arange(120) % 2}
    CodeStore.write(folder / "codes", [batch], [4, 4], "0" * 64, ["even", "odd"])
    return table, {"data": [folder / "images"], "codes": folder / "codes"}


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """Folder of the runs of seed 0, all finished."""
    folder = tmp_path_factory.mktemp("runs")
    command.train(read_runs(tiny[0], seeds=[0]), tiny[1], folder)
    return folder


def read(folder, name):
    return json.loads((folder / f"{name}-seed0" / RESULT).read_text())


@pytest.mark.slow
def test_levels_are_compared_after_the_same_steps(finished):
    two, one = read(finished, "two_levels"), read(finished, "one_level")
    assert two["code_bits"] == (4 + 16) * 3
    assert one["code_bits"] == pytest.approx(16 * math.log2(13))
    assert len(two["usage"]) == 2 and len(one["usage"]) == 1
    steps = [run["settings"]["training"]["autoencoder"]["steps"] for run in (two, one)]
    assert steps == [6, 6] and two["parameters"] > one["parameters"]
    results = json.loads((finished / "two_levels-seed0" / "run" / "results.json").read_text())
    assert two["mse"] == results["scores"]["reconstruction"]["mse"]
    assert "samples" not in results["scores"], "no prior is trained"


@pytest.mark.slow
def test_priors_are_measured_on_maps_that_they_were_not_trained_on(finished):
    found = read(finished, "attention")
    assert found["maps"] == {"train": 103, "test": 12}  # of 120: 12, of the rest 5 watched
    # Only the first of the 16 codes is news; it has one of two values, given the label.
    assert math.log(2) / 16 * 0.9 < found["nats_per_code"] < 0.5 * math.log(4)
    assert found["parameters"] > read(finished, "no_attention")["parameters"]


@pytest.mark.slow
def test_sampling_is_timed_in_parts(finished):
    found = read(finished, "speed")
    assert found["codes"] == 4 + 16 and found["pixel_values"] == 64
    assert all(found[f"{part}_seconds"] > 0 for part in ("code", "decoder", "pixel"))


@pytest.mark.slow
def test_rows_stand_for_the_whole_image(tiny, monkeypatch):
    (run,) = read_runs(tiny[0], ["speed"], [0])
    monkeypatch.setattr(runs, "seconds", lambda function: 1.0)
    assert runs.time_sampling(run, None, None)["pixel_seconds"] == 1 / 2 * 8, "8 rows, 2 images"


@pytest.mark.slow
def test_finished_runs_are_kept_and_those_without_source_left_out(tiny, finished, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.glob(f"*/{RESULT}")}
    sources = {"data": None, "codes": None}
    command.train(read_runs(tiny[0], ["attention", "two_levels"]), sources, finished)
    assert {path: path.stat().st_mtime_ns for path in finished.glob(f"*/{RESULT}")} == before
    said = capsys.readouterr().err.splitlines()
    assert said == [f"left out: {name}" for name in (
        "two_levels, which needs --data", "attention, which needs --codes")]  # fmt: skip


def test_the_table_compares_equal_bits():
    bits = []
    for run in read_runs(only=["two_levels", "one_level"], seeds=[3]):
        configs.check(run.settings)
        arguments = {**run.settings["autoencoder"], "filters": 8, "residual_filters": 8}
        arguments.pop("family")
        model = VQVAE2(image_shape=[256, 256, 3], **arguments)
        levels = zip(model.latent_shapes, model.codebook_sizes, strict=True)
        bits.append(sum(math.prod(shape) * math.log2(size) for shape, size in levels))
        assert run.settings["training"]["autoencoder"]["seed"] == arguments["seed"] == 3
    assert bits[0] == 64 * 64 * 9 + 32 * 32 * 9 == 46080
    # 2435 is the largest number of codes that needs no more.
    assert bits[1] <= bits[0] < 4096 * math.log2(2436)


def made_up(name, seed=0, **found):
    return {"name": name, "seed": seed, "settings": {"training": {"steps": 7}}, **found}


def scores(top, bottom, gap=0.01, ratio=1.01):
    levels = {"codes_0": {"times_mse": top}, "codes_1": {"times_mse": bottom}}
    for level in levels.values():
        level |= {"mse_with_other": 0.03, "mse_up_to": 0.02}
    nats = {"train_nats_per_code": 2.0, "nats_per_code_gap": 2 * (ratio - 1)}
    nats["nats_per_code_ratio"] = ratio
    general = {"train_mse": 0.01, "mse_gap": 0.01 * gap, "codes_0": nats, "codes_1": nats, **nats}
    return {"levels": levels, "generalisation": general, "reconstruction": {"mse": 0.0101}}


def verdict(word, results=(), models=()):
    (found,) = (found for found in claims.judge(results, dict(models)) if word in found.claim)
    return found.held


def test_every_level_of_every_model_has_to_earn_its_place():
    good, bad, single = scores(5, 2), scores(5, 1.9), {}
    assert verdict("complement", models={"a": good, "b": single}) is True
    assert verdict("complement", models={"a": good, "b": bad}) is False
    assert verdict("complement", models={"b": single}) is None


def test_gaps_are_shares_of_the_training_figures():
    for gap, ratio, held in ((0.09, 1.04, (True, True)), (0.11, 1.06, (False, False))):
        models = {"a": scores(5, 5, gap, ratio)}
        assert (verdict("autoencoders", models=models), verdict("priors", models=models)) == held
    assert verdict("priors", models={"a": {}}) is None
    crops = {"generalisation": {"train_mse": 0.01, "mse_gap": 0.01}}
    assert verdict("autoencoders", models={"a": crops}) is None
    table = report.generalisation_table({"a": scores(5, 5, 0.01, 1.05)})
    assert "| `a` | 0.01000 | 0.01010 | 2.000, 2.000 | 2.100, 2.100 |" in table


@pytest.mark.parametrize(
    "word, better, worse, key",
    [("A hierarchy", "two_levels", "one_level", "mse"),
     ("Attention", "attention", "no_attention", "nats_per_code")],
)  # fmt: skip
def test_pairs_of_runs_are_compared_seed_by_seed(word, better, worse, key):
    first = [made_up(better, **{key: 1.0}), made_up(worse, **{key: 1.1})]
    second = [made_up(better, 1, **{key: 1.2}), made_up(worse, 1, **{key: 1.1})]
    assert verdict(word, first) is True
    assert verdict(word, first + second[:1]) is True, "the second seed is not finished"
    assert verdict(word, first + second) is False
    assert verdict(word) is None


def test_an_order_of_magnitude_is_ten_times():
    times = {"codes": 20, "pixel_values": 64, "code_seconds": 0.9, "decoder_seconds": 0.1}
    for pixels, held in ((10.1, True), (9.9, False)):
        assert verdict("magnitude", [made_up("speed", **times, pixel_seconds=pixels)]) is held


@pytest.mark.slow
def test_the_page_is_written_with_all_tables(finished, tmp_path, monkeypatch, capsys):
    models = tmp_path / "mine"
    models.mkdir()
    monkeypatch.setattr(command.zoo, "describe", lambda name: {"results": {"scores": scores(5, 3)}})
    page = tmp_path / "page.md"
    command.report(finished, [str(models)], page)
    text, printed = page.read_text(), capsys.readouterr().out
    kept = json.loads((tmp_path / "page" / "results.json").read_text())
    assert len(kept["runs"]) == 5 and set(kept["models"]) == {"mine"}
    for table in report.make_tables(kept["runs"], kept["models"]).values():
        assert table in text and table in printed
    assert "**held** (one model)" in text and "`mine` 5, 3 times, coarse to fine" in text


def test_wrong_use_is_one_line_and_exit_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["s1_claims", "--only", "two_lvels"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2 and "Received: 'two_lvels'" in capsys.readouterr().err
