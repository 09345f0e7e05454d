"""Starts Keras and its backend without the lines that C++ code prints meanwhile."""

import contextlib
import os
import sys

from vqzoo.cli.arguments import UsageError


def start(debug=False, devices=None):
    """Imports Keras and runs a first operation.

    TensorFlow's libraries log to the process's stderr before they read any setting, so that
    stderr is a bin while they start. Python's own errors are not lost: they come afterwards.

    Args:
        debug: bool, whether to show all of it.
        devices: ids as for `vqzoo.training.devices.use_only`, or None for all devices.

    Raises:
        UsageError: if the backend is not installed.
    """
    with contextlib.nullcontext() if debug else _hidden_stderr():
        try:
            import keras
        except ModuleNotFoundError as error:
            raise UsageError(
                f"{error.name} is not installed; set the environment variable `KERAS_BACKEND` to "
                "a backend that is, tensorflow or jax"
            ) from error
        if devices:
            from vqzoo.training.devices import use_only

            use_only(devices)
        keras.ops.zeros(1)


@contextlib.contextmanager
def _hidden_stderr():
    sys.stderr.flush()
    kept, bin_ = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(bin_, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(bin_)
