"""What every likelihood over integer images offers."""


class Likelihood:
    """A family of distributions over grey levels 0 .. num_bins - 1, one for every pixel value.

    It holds no tensors: each method takes the parameters (`mean, scale` or `logits`), float
    tensors of any shape, and works on single values. Sums over an image are the caller's.

    - `log_prob(images, *parameters)`: float32 nats.
    - `mean(*parameters)`: float32, the expected grey level.
    - `sample(*parameters, seed)`: int32; `seed` an int or a `keras.random.SeedGenerator`.
    - `distribution(*parameters)`: the `tfp.distributions.Distribution`, TensorFlow only.

    Args:
        num_bins: int, number of grey levels.

    Raises:
        ValueError: if `num_bins` is not an integer of at least 2.
    """

    def __init__(self, num_bins=256):
        if not isinstance(num_bins, int) or num_bins < 2:
            raise ValueError(f"`num_bins` must be an integer of at least 2. Received: {num_bins=}")
        self.num_bins = num_bins

    def get_config(self):
        return {"num_bins": self.num_bins}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
