"""Gradients under whichever backend the tests run on."""

import keras
from keras import ops


def gradients(function, *arrays):
    """Of the sum of what `function(*arrays)` returns: a NumPy array for each of `arrays`.

    Zeros where the sum does not depend on one.
    """
    if keras.backend.backend() == "jax":
        import jax

        which = tuple(range(len(arrays)))
        found = jax.grad(lambda *inputs: ops.sum(function(*inputs)), which)(*arrays)
    else:
        import tensorflow as tf

        inputs = [tf.convert_to_tensor(array) for array in arrays]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = ops.sum(function(*inputs))
        found = tape.gradient(total, inputs, unconnected_gradients="zero")
    return [ops.convert_to_numpy(gradient) for gradient in found]
