"""Compiling a function of tensors under the current backend."""

import keras


def compiled(function, model, jit=True):
    """Compiles `function` once for each set of shapes that it meets.

    Args:
        function: takes and returns nests of tensors; may read the variables of `model`.
        model: keras layer or model; its variables are read anew in each call.
        jit: bool, under TensorFlow compiles by XLA. JAX always does.

    Returns:
        A function of the same arguments, that come as tensors or NumPy arrays.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        # XLA compiles for known shapes alone: without it one trace may serve several.
        return tensorflow.function(function, jit_compile=jit, reduce_retracing=not jit)
    if backend == "jax":
        return _compiled_by_jax(function, model)
    return function


def _compiled_by_jax(function, model):
    import jax

    # A variable read inside jax.jit would be frozen as a constant: values come as arguments.
    @jax.jit
    def stateless(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(model.variables, values))):
            return function(*arguments)

    return lambda *arguments: stateless([v.value for v in model.variables], *arguments)
