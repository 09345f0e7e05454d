"""Building models without their weights."""

import contextlib

import keras


@contextlib.contextmanager
def shapes_only():
    """Models that are built within have shapes in place of weights, and never get any."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()  # else the next scope's end makes the weights of all of them
