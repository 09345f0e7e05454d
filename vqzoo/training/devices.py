"""Which devices a training run uses."""

import contextlib

import keras


def strategy_scope():
    """Scope to build and train models in: over all accelerators, or doing nothing for one device.

    Under TensorFlow with more than one GPU it is that of a `MirroredStrategy`, unless the caller
    has opened a scope of its own, which is kept. Under JAX a caller distributes by
    `keras.distribution`.
    """
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    if tf.distribute.has_strategy() or len(tf.config.list_logical_devices("GPU")) < 2:
        return contextlib.nullcontext()
    return tf.distribute.MirroredStrategy().scope()
