"""Seconds of fresh processes: commands beside the imports that they cannot do without.

    python -m benchmarks.start_up

Every process is new; files are in the system's cache after the first round, which does not count.
The first sample is checked to be what the model gives in this process.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import environment

NAME, LABEL = "vqvae_fashion_mnist", "sneaker"
VQZOO = ("-m", "vqzoo.cli.main")
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import vqzoo": ("-c", "import vqzoo"),
    "vqzoo --help": (*VQZOO, "--help"),
    "vqzoo list": (*VQZOO, "list"),
    "import tensorflow, keras": ("-c", "import tensorflow, keras"),
    "vqzoo sample, one image": (*VQZOO, "sample", NAME, "--labels", LABEL, "--num", "1"),
}
BOUNDS = {
    "import vqzoo": "python -c pass",
    "vqzoo --help": "python -c pass",
    "vqzoo list": "python -c pass",
    "vqzoo sample, one image": "import tensorflow, keras",
}


def run(arguments, folder):
    """Runs Python with the arguments; returns its seconds and what it printed."""
    environ = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": os.getcwd()}
    start = time.perf_counter()
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=True)
    return time.perf_counter() - start, done.stdout.decode()


def check_outputs(folder):
    """`list` names what the package lists, and the picture is the image that `sample` returns."""
    import vqzoo
    from vqzoo.data import read_image
    from vqzoo.evaluation.pictures import grid

    listed = run(COMMANDS["vqzoo list"], folder)[1].splitlines()
    assert [line.split()[0] for line in listed] == vqzoo.list_models()
    images = vqzoo.load(NAME).sample(1, LABEL, seed=0)
    picture = read_image(folder / f"{NAME}_samples.png")
    np.testing.assert_array_equal(picture, np.reshape(grid(images, 1), picture.shape))
    print("vqzoo list names all entries; the sample is the one of seed 0")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    arguments = parser.parse_args()
    times = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for _ in range(arguments.rounds + 1):
            for name, command in COMMANDS.items():
                times[name].append(run(command, folder)[0])
        check_outputs(folder)
    print(environment())
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    for name, median in medians.items():
        low, high = min(times[name][1:]), max(times[name][1:])
        line = f"{name:24} {median:6.3f} s ({low:.3f} .. {high:.3f})"
        bound = BOUNDS.get(name)
        print(line + (f": {median / medians[bound]:.2f} x {bound}" if bound else ""))


if __name__ == "__main__":
    main()
