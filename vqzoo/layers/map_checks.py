"""Checks of the maps that layers are built for and called on."""

import keras


def check_map_shape(shape, channels, argument):
    """Checks a shape `(batch, height, width, channels)`.

    Raises:
        ValueError: naming `argument`, if its rank or last axis is another.
    """
    shape = tuple(shape)
    if len(shape) != 4 or shape[-1] != channels:
        raise ValueError(
            f"`{argument}` must have the shape (batch, height, width, {channels}). "
            f"Received: {shape}"
        )


def check_map(tensor, channels, argument):
    """Checks a tensor's shape as `check_map_shape` does, and that it holds floats."""
    check_map_shape(tensor.shape, channels, argument)
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(f"`{argument}` must hold floats. Received: {dtype}")
