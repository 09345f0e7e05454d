"""A function of a model's parts, as a layer of a graph."""

import keras


class AsLayer(keras.layers.Layer):
    """Calls a function that reads variables of `parts`, and lets a graph know of them.

    A graph built from the bare function would hold the variables' values as constants under JAX:
    those of the moment, not those after training.

    Args:
        function: takes and returns nests of tensors.
        parts: list of keras layers, the owners of the variables that `function` reads.
    """

    def __init__(self, function, parts):
        super().__init__()
        self.function, self.parts = function, parts

    def call(self, inputs):
        return self.function(inputs)
