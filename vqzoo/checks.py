"""Checks of single arguments: each gives the value back, or says what would be right."""

import difflib
import numbers
import os
import pathlib

import numpy as np


def checked_int(value, argument, low=1, high=None):
    """The value as an int of at least `low` and, if given, at most `high`.

    Raises:
        ValueError: naming `argument`, if it is none; a bool is no int here.
    """
    right = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    if not right or value < low or (high is not None and value > high):
        wanted = f", {low} or more" if high is None else f" in {low}..{high}"
        raise ValueError(f"`{argument}` must be an int{wanted}. Received: {shown(value)}")
    return int(value)


def check_ints(low=1, **values):
    """Checks each value as `checked_int` does, under the name that it is given by."""
    for argument, value in values.items():
        checked_int(value, argument, low)


def checked_seed(seed):
    """The seed as an int in 0..2**32 - 1, or a ValueError."""
    return checked_int(seed, "seed", 0, 2**32 - 1)


def checked_number(value, argument, right, is_right):
    """The value as it came, an int or a float.

    Args:
        value: anything.
        argument: str, its name.
        right: str, what it must be, such as "above 0".
        is_right: function of a number to bool, false for NaN.

    Raises:
        ValueError: naming `argument`, if it is no number or not right.
    """
    # To Python True is 1; to somebody who wrote it, it was meant for another argument.
    number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not number or not is_right(value):
        raise ValueError(f"`{argument}` must be a number {right}. Received: {shown(value)}")
    return value


def checked_bool(value, argument):
    """The value as a bool, or a ValueError naming `argument`."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{argument}` must be True or False. Received: {shown(value)}")
    return bool(value)


def checked_choice(value, argument, choices):
    """The value, a str among `choices`, or a ValueError naming `argument`."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"`{argument}` must be one of {known}. Received: {shown(value)}")
    return value


def checked_path(value, argument):
    """The value as a `pathlib.Path`, or a ValueError naming `argument`; nothing need be there."""
    try:
        path = pathlib.Path(value)
        # "" would mean the working folder to `pathlib`, and no file system takes a zero byte.
        possible = value != "" and b"\0" not in os.fsencode(path)
    except (TypeError, ValueError):
        possible = False
    if not possible:
        raise ValueError(f"`{argument}` must be a path. Received: {shown(value)}")
    return path


def checked_sizes(value, argument, right, count=None):
    """The value as a tuple of ints of 1 or more.

    Args:
        value: list, tuple or array of ints.
        argument: str, its name.
        right: str, what it must be, such as "(height, width)".
        count: int, how many there must be, or None for any number.

    Raises:
        ValueError: naming `argument`.
    """
    listed = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    try:
        if not listed or count not in (None, len(value)):
            raise ValueError(argument)
        return tuple(checked_int(size, argument) for size in value)
    except ValueError:
        raise ValueError(
            f"`{argument}` must be {right}, each an int, 1 or more. Received: {shown(value)}"
        ) from None


def checked_array(value, argument):
    """The value as a NumPy array of any type, or a ValueError naming `argument`."""
    try:
        return np.asarray(value)
    except Exception as error:  # ragged lists, tensors of another device, odd `__array__` methods
        raise ValueError(
            f"`{argument}` must be an array. Received: {type(value).__name__}, {error}"
        ) from error


def checked_index(index, length):
    """The place 0..length - 1 that an index of a sequence means, a negative one from the end.

    Raises:
        TypeError: if it is no int.
        IndexError: if there is no such place, which ends a loop over the sequence.
    """
    if not isinstance(index, numbers.Integral):
        raise TypeError(f"`index` must be an int. Received: {shown(index)}")
    position = index + length if index < 0 else index
    if not 0 <= position < length:
        raise IndexError(f"`index` must be below {length}, the number of images. {index=}")
    return int(position)


def checked_indices(indices, length):
    """The indices as int64 `(batch,)`, each in 0..length - 1, or a ValueError."""
    array = checked_array(indices, "indices")
    # An empty list becomes floats in NumPy, and asks for nothing.
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(f"`indices` must be ints in a row. Received: {shown(array)}")
    if array.size and not 0 <= array.min() <= array.max() < length:
        raise ValueError(
            f"`indices` must be in 0..{length - 1}. Received: {array.min()}..{array.max()}"
        )
    return array.astype("int64")


def checked_class_names(value, argument="class_names"):
    """The names of classes as a list of distinct str; None stays None. Else a ValueError."""
    if value is None:
        return None
    listed = isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
    if not listed or len(set(value)) < len(value):
        raise ValueError(
            f"`{argument}` must be distinct strings, in YAML quoted. Received: {shown(value)}"
        )
    return list(value)


def shown(value):
    """The value in an error message: an array's type and shape, else its first 80 characters."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype} array of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def nearest(word, words):
    """The one of `words` that looks most like `word`: str, by `difflib`'s ratio."""
    return difflib.get_close_matches(str(word), [str(other) for other in words], 1, cutoff=0.0)[0]
