"""Which devices a training run uses."""

import contextlib
import functools

import keras


def strategy_scope():
    """Scope to build and train models in: over all accelerators, or doing nothing for one device.

    Under TensorFlow with more than one GPU it is that of a `MirroredStrategy` over them; without
    GPUs the same over logical CPUs, where the caller has made more than one. Under JAX a caller
    distributes by `keras.distribution`.
    """
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    strategy = _mirrored_strategy()
    return strategy.scope() if strategy else contextlib.nullcontext()


@functools.cache  # a second one in a process would use the keys of the first's collectives again
def _mirrored_strategy():
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return None
    return tf.distribute.MirroredStrategy([device.name for device in devices])
