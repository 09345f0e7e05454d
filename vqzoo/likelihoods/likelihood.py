"""What every likelihood over integer images offers."""

import keras
import numpy as np

from vqzoo.checks import checked_int, checked_seed, shown


class Likelihood:
    """A family of distributions over grey levels 0 .. num_bins - 1, one for every pixel value.

    It holds no tensors: each method takes the parameters (`mean, scale` or `logits`), float
    tensors of any shape, and works on single values. Sums over an image are the caller's.

    - `log_prob(images, *parameters)`: float32 nats.
    - `mean(*parameters)`: float32, the expected grey level, where that has a closed form.
    - `sample(*parameters, seed)`: int32; `seed` an int or a `keras.random.SeedGenerator`.
    - `distribution(*parameters)`: the `tfp.distributions.Distribution`, TensorFlow only.

    `unit` names what is predicted in the names of scores: bits per `dim` are those of 256 grey
    levels, and are compared with nothing else.

    Args:
        num_bins: int, number of grey levels.

    Raises:
        ValueError: if `num_bins` is not an integer of at least 2.
    """

    unit = "dim"

    def __init__(self, num_bins=256):
        self.num_bins = checked_int(num_bins, "num_bins", 2)

    def get_config(self):
        return {"num_bins": self.num_bins}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def draw_seed(seed):
    """The seed of a draw: None, an int or a `keras.random.SeedGenerator`, or a ValueError."""
    generator = isinstance(seed, keras.random.SeedGenerator)
    return seed if seed is None or generator else checked_seed(seed)


def as_floats(**tensors):
    """The tensors by argument's name, as float32 tensors whose shapes broadcast to one.

    Raises:
        ValueError: naming the argument that is no tensor of numbers, or all if they do not fit.
    """
    cast = {name: _as_float(value, name) for name, value in tensors.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in cast.items()}
    try:
        # While tracing, sizes that are not known yet are None and fit anything.
        known = ([1 if size is None else size for size in shape] for shape in shapes.values())
        np.broadcast_shapes(*known)
    except ValueError:
        names = " and ".join(f"`{name}`" for name in shapes)
        raise ValueError(f"{names} must broadcast. Received the shapes {shapes}") from None
    return list(cast.values())


def _as_float(value, name):
    try:
        return keras.ops.cast(value, "float32")
    except Exception as error:  # each backend raises its own
        raise ValueError(f"`{name}` must be numbers. Received: {shown(value)}") from error
