"""Which devices are used: fakes stand for accelerators that the machine has not."""

import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

import vqzoo
from vqzoo.training import devices

tf = pytest.importorskip("tensorflow")

ROOT = os.path.dirname(os.path.dirname(vqzoo.__file__))


@pytest.fixture(autouse=True)
def forget():
    """Neither does a test see the strategy of another, nor do later ones see a fake."""
    devices._strategy.cache_clear()
    yield
    devices._strategy.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """A function that gives TensorFlow these numbers of devices; what was done to it is a list."""
    calls = []

    def have(**counts):
        def physical(kind):
            return [f"/physical_device:{kind}:{i}" for i in range(counts.get(kind, 0))]

        def logical(kind):
            return [SimpleNamespace(name=f"/device:{kind}:{i}") for i in range(counts.get(kind, 0))]

        def visible(chosen, kind):
            calls.append(("visible", chosen, kind))

        monkeypatch.setattr(tf.config, "list_physical_devices", physical)
        monkeypatch.setattr(tf.config, "list_logical_devices", logical)
        monkeypatch.setattr(tf.config, "set_visible_devices", visible)
        for where, name in (
            (tf.distribute, "MirroredStrategy"),
            (tf.distribute, "TPUStrategy"),
            (tf.distribute.cluster_resolver, "TPUClusterResolver"),
            (tf.config, "experimental_connect_to_cluster"),
            (tf.tpu.experimental, "initialize_tpu_system"),
        ):
            monkeypatch.setattr(where, name, recorder(name))

    def recorder(name):
        def record(*arguments, **keywords):
            calls.append((name, *arguments, *keywords.values()))
            return name

        return record

    monkeypatch.delenv("TPU_NAME", raising=False)
    return SimpleNamespace(have=have, calls=calls)


def test_one_device_needs_no_strategy(machine):
    for counts in ({"CPU": 1}, {"GPU": 1, "CPU": 2}):
        devices._strategy.cache_clear()
        machine.have(**counts)
        assert devices._strategy() is None
    assert machine.calls == []


def test_several_gpus_are_mirrored(machine):
    machine.have(GPU=3, CPU=1)
    assert devices._strategy() == "MirroredStrategy"
    names = [f"/device:GPU:{i}" for i in range(3)]
    assert machine.calls == [("MirroredStrategy", names)]


@pytest.mark.parametrize("name", [None, "pod"])
def test_a_tpu_is_preferred_and_connected_first(machine, monkeypatch, name):
    machine.have(**({"GPU": 2, "TPU": 8} if name is None else {"CPU": 1}))
    if name:
        monkeypatch.setenv("TPU_NAME", name)
    assert devices._strategy() == "TPUStrategy"
    resolver = "TPUClusterResolver"
    assert machine.calls == [
        (resolver, name or "local"),
        ("experimental_connect_to_cluster", resolver),
        ("initialize_tpu_system", resolver),
        ("TPUStrategy", resolver),
    ]


def test_the_other_gpus_are_hidden(machine):
    machine.have(GPU=4, CPU=1)
    devices.use_only([3, 1])
    chosen = ["/physical_device:GPU:3", "/physical_device:GPU:1"]
    assert machine.calls == [("visible", chosen, "GPU")]


def test_a_device_that_is_not_there_is_refused_with_a_list(machine):
    machine.have(GPU=2, CPU=1)
    with pytest.raises(ValueError, match=r"machine: 0 \(GPU\), 1 \(GPU\). Received: 0,2"):
        devices.use_only([0, 2])
    machine.have(CPU=1)
    with pytest.raises(ValueError, match=r"machine: 0 \(CPU\). Received: 1"):
        devices.use_only([1])
    assert machine.calls == []


def test_other_backends_have_a_variable_for_it(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="CUDA_VISIBLE_DEVICES. Received: 0,1 under jax"):
        devices.use_only([0, 1])


@pytest.mark.parametrize(
    ("ids", "message"), [("0", "no images for the train split"), ("0,64", "Received: 0,64")]
)
def test_the_command_takes_them_before_tensorflow_starts(tmp_path, ids, message):
    """With 0 it goes on, here to the next error."""
    (tmp_path / "images").mkdir()
    command = ["train", "vqvae_mnist", "--data", tmp_path / "images", "--folder", tmp_path / "run"]
    run = subprocess.run(
        [sys.executable, "-m", "vqzoo.cli.main", *command, "--devices", ids],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    (line,) = run.stderr.splitlines()
    assert (run.returncode, run.stdout) == (1, "") and line.startswith("vqzoo train: error: ")
    assert message in line
