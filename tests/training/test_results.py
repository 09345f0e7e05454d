"""`results.json` says where its numbers come from."""

import json
import platform
import socket

import numpy as np

from vqzoo.training import results

CONFIG = {"training": {"autoencoder": {"seed": 3, "steps": 5}, "prior": {"seed": 4}}}


def test_holds_scores_and_their_origin(tmp_path):
    scores = {"codes": {"bits": 2.5, "bad": float("nan")}, "levels": [{"usage": np.float64(0.5)}]}
    path = tmp_path / "results.json"
    results.write_results(path, "entry", CONFIG, scores, {"autoencoder": 1.23456}, sample_seed=7)
    found = json.loads(path.read_text())
    assert found["scores"] == {"codes": {"bits": 2.5, "bad": None}, "levels": [{"usage": 0.5}]}
    assert found["seeds"] == {"autoencoder": 3, "prior": 4, "samples": 7}
    assert found["wall_seconds"] == {"autoencoder": 1.2346}
    assert found["config"] == CONFIG
    assert found["versions"]["python"] == platform.python_version()
    assert {"keras", "numpy", "vqzoo", "backend"} <= set(found["versions"])


def test_the_machine_is_described_without_its_name():
    description = results.machine()
    assert "cores" in description
    assert socket.gethostname() not in description


def test_the_commit_is_that_of_the_checkout_or_none():
    commit = results.commit()
    assert commit is None or len(commit.rstrip("+")) == 40


def test_no_commit_outside_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(results.vqzoo, "__file__", str(tmp_path / "vqzoo" / "__init__.py"))
    assert results.commit() is None
