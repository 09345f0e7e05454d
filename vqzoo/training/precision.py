"""In which number format a stage computes."""

import contextlib

import keras

from vqzoo.checks import checked_choice

PRECISIONS = ("float32", "mixed_bfloat16")
"""Keras' dtype policies that a stage can name; weights are float32 under each."""


@contextlib.contextmanager
def precision(stage):
    """Context in which models are built for training: under the dtype policy of the stage.

    A model keeps the policy under which it was built. What a stage leaves behind are float32
    weights, read by a model built outside.

    Args:
        stage: dict, a stage's settings, perhaps with `precision`, one of `PRECISIONS`; without it
            the policy stays as it is.

    Raises:
        ValueError: if `precision` is not one of these.
    """
    before = keras.config.dtype_policy()
    if "precision" in stage:
        keras.config.set_dtype_policy(
            checked_choice(stage["precision"], "precision", PRECISIONS)
        )
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
