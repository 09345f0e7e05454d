import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.layers import replica_steps
from vqzoo.layers import replicas

if keras.backend.backend() != "tensorflow":
    pytest.skip("only TensorFlow has replicas", allow_module_level=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The arrays that `replica_steps.py` saves: `results[run, replicas][name]`."""
    output = tmp_path_factory.mktemp("replicas") / "results.npz"
    script = Path(__file__).with_name("replica_steps.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, script, output], check=True, env=environment)
    grouped = {}
    for key, value in np.load(output).items():
        run, count, name = key.split(" ", 2)
        grouped.setdefault((run, int(count)), {})[name] = value
    return grouped


@pytest.mark.parametrize("run", replica_steps.RUNS)
def test_two_replicas_compute_what_one_does_on_the_joined_batch(run, results):
    one, two = results[run, 1], results[run, 2]
    assert one.keys() == two.keys() and "log loss" in one and "last|kernel" in one
    for name, expected in one.items():
        if run == "unequal" and not name.startswith(("quantizer", "log")):
            continue  # Keras weighs replicas alike, however many images each has
        np.testing.assert_allclose(two[name], expected, atol=1e-5, rtol=1e-5, err_msg=name)


def test_restart_moved_the_codes_left_out(results):
    counts = results["restart", 2]["quantizer|counts"]
    fresh = np.isclose(counts, 2 * 0.995)
    assert 3 < fresh.sum() < 29, "the run is empty unless some are left out and some are not"


def test_averages_move_exactly_once_a_step(results):
    """Eight images of 6 x 4 codes: the counts' sum is decay * K + (1 - decay) * 192."""
    for num_replicas in (1, 2):
        weights = results["sample", num_replicas]
        assert weights["quantizer|updates"] == 1
        assert weights["quantizer|counts"].sum() == pytest.approx(0.99 * 32 + 0.01 * 192, rel=1e-6)
    assert results["kmeans", 2]["quantizer|updates"] == 4


def test_without_a_strategy_nothing_happens():
    rows = np.arange(12.0).reshape(6, 2)
    assert replicas.sum_over_replicas(rows) is rows
    picked = replicas.take_from_joined_batch(rows, lambda total: [total - 1, 0])
    np.testing.assert_array_equal(picked, rows[[5, 0]])
