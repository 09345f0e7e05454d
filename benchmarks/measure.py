"""What benchmarks share: a peer in another environment, and what figures depend on."""

import os
import subprocess
from pathlib import Path


class Peer:
    """Runs a script of this folder, which answers each number of steps with their seconds.

    Args:
        python: str, interpreter of an environment that has what the script needs.
        script: str, name of a file beside this one.
        *arguments: further arguments of the script, on its command line.
    """

    def __init__(self, python, script, *arguments):
        command = [python, Path(__file__).with_name(script), *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, **pipes)

    def seconds(self, steps=1):
        """Lets it do so many steps; returns the seconds that it needed for all of them."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait()


def environment():
    """What figures depend on, one line: versions, cores and their make."""
    import keras
    import tensorflow as tf

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.split(": ")[1] for line in lines if line.startswith("model name")}
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    return f"{versions}, {os.cpu_count()} cores of {', '.join(models)}"
