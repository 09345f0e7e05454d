"""Which devices a training run uses."""

import contextlib
import functools
import os

import keras


def use_only(ids):
    """Hides all accelerators but these from this process; before the backend has started.

    Args:
        ids: sequence of int, positions in the list of GPUs that the machine has; without GPUs 0
            is its CPU.

    Raises:
        ValueError: if there is no such device, listing those that there are, or if the backend is
            not TensorFlow.
        RuntimeError: if TensorFlow has started already.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`devices` can be chosen under TensorFlow only; otherwise set CUDA_VISIBLE_DEVICES. "
            f"Received: {','.join(map(str, ids))} under {keras.backend.backend()}"
        )
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    found = tf.config.list_physical_devices(kind)
    if max(ids) >= len(found):
        names = ", ".join(f"{i} ({kind})" for i in range(len(found)))
        raise ValueError(
            f"`devices` must be among those of this machine: {names}. "
            f"Received: {','.join(map(str, ids))}"
        )
    tf.config.set_visible_devices([found[i] for i in ids], kind)


def training_scope():
    """Scope to build and train models in: over all accelerators, or doing nothing for one device.

    Under TensorFlow that of a `TPUStrategy` where there is a TPU, or of a `MirroredStrategy` over
    the GPUs if they are more than one; without GPUs the same over logical CPUs, where the caller
    has made more than one. Under JAX that of a `keras.distribution.DataParallel` over all devices,
    if they are more than one.
    """
    if keras.backend.backend() == "tensorflow":
        strategy = _strategy()
        return strategy.scope() if strategy else contextlib.nullcontext()
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        return contextlib.nullcontext()
    return keras.distribution.DataParallel(devices=devices).scope()


@functools.cache  # a second one in a process would use the keys of the first's collectives again
def _strategy():
    """The `tf.distribute.Strategy` of this machine, or None for one device."""
    import tensorflow as tf

    if "TPU_NAME" in os.environ or tf.config.list_logical_devices("TPU"):
        return _tpu_strategy(tf)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return None
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _tpu_strategy(tf):
    """A strategy over the TPU called `$TPU_NAME`, by default the one in this machine."""
    name = os.environ.get("TPU_NAME", "local")
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)
