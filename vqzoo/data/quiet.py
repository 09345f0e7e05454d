"""Keeps other packages' notes about what they could also use off the screen."""

import contextlib


@contextlib.contextmanager
def quiet():
    """Context in which absl's log shows errors only, such as not: no JAX here to profile with."""
    from absl import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(level)
