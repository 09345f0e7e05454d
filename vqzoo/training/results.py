"""`results.json`: the scores of a run, with all that is needed to get them again."""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import subprocess

import keras

import vqzoo
from vqzoo import config as configs
from vqzoo import files

PACKAGES = ("keras", "tensorflow", "jax", "numpy", "grain", "tensorflow-probability")


def write_results(path, name, config, scores, seconds, sample_seed):
    """Writes the scores of a model and where they come from.

    Args:
        path: path of the JSON file.
        name: str, name of the run's entry.
        config: dict, the run's configuration.
        scores: dict as `vqzoo.evaluation.evaluate` gives; a number that is not finite is written
            as null. `docs/numbers.md` defines each under the name that it has here.
        seconds: dict of float, wall time by part of the run, in seconds.
        sample_seed: int, seed of the evaluation.
    """
    stages = configs.stages(config)
    content = {
        "name": name,
        "scores": files.finite(scores),
        "definitions": "docs/numbers.md",
        "seeds": {**{key: stage["seed"] for key, stage in stages.items()}, "samples": sample_seed},
        "wall_seconds": {key: round(value, 4) for key, value in seconds.items()},
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
        "config": config,
    }
    files.write_json(path, content)


def versions():
    """dict of the versions of Python, this package and those that numbers may depend on."""
    found = {"python": platform.python_version(), "vqzoo": vqzoo.__version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**found, "backend": keras.backend.backend()}


def commit():
    """Commit of the checkout that runs, with "+" if it was changed since; None outside of one."""
    checkout = pathlib.Path(vqzoo.__file__).parent.parent
    # An installed package may lie inside of somebody else's repository.
    if not (checkout / ".git").exists():
        return None
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", checkout, *command], check=True, capture_output=True, text=True
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changes else "")


def machine():
    """str: processor, cores and accelerators, without the machine's name."""
    devices = keras.distribution.list_devices()
    accelerators = [device for device in devices if not device.lower().startswith("cpu")]
    parts = [_processor(), f"{os.cpu_count()} cores", platform.system(), *accelerators]
    return ", ".join(parts)


def _processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
