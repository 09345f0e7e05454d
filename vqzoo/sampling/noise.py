"""Counter-based noise: each number is a function of seed, image, level and position alone."""

import math

import numpy as np
from keras import ops

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = np.uint32(0x1BD11BDA)
LABEL_STREAM = 2**32 - 1
"""Takes the place of the level in keys that draw labels."""

POSTERIOR_STREAM = 2**31
"""Added to the level in keys that draw from q(z | x), so that the prior's draws are others."""


def threefry_2x32(key, counter):
    """Threefry-2x32 with 20 rounds: a keyed bijection of pairs of 32-bit words.

    Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011,
    doi:10.1145/2063384.2063405.

    Args:
        key, counter: pairs of uint32 tensors of shapes that broadcast.

    Returns:
        Pair of uint32 tensors.
    """
    # uint32 sums wrap around under both backends, as the definition wants.
    schedule = (key[0], key[1], key[0] ^ key[1] ^ ops.convert_to_tensor(PARITY))
    left, right = counter[0] + schedule[0], counter[1] + schedule[1]
    for round_index in range(20):
        left = left + right
        right = left ^ _rotate_left(right, ROTATIONS[round_index % 8])
        if round_index % 4 == 3:
            injection = round_index // 4 + 1
            left = left + schedule[injection % 3]
            right = right + schedule[(injection + 1) % 3] + _word(injection)
    return left, right


def _word(value):
    return ops.convert_to_tensor(np.uint32(value))


def _rotate_left(x, distance):
    return ops.left_shift(x, _word(distance)) | ops.right_shift(x, _word(32 - distance))


def image_keys(seed, image_indices, level=0):
    """One key for each image, whatever batch it is in.

    Args:
        seed: int in `[0, 2**64)`, or a tensor `(batch,)` of ints in `[0, 2**32)`.
        image_indices: int tensor `(batch,)`.
        level: int, level of the latents, or a stream as above.

    Returns:
        uint32 tensor `(batch, 2)`.

    Raises:
        ValueError: if an int `seed` is outside its range.
    """
    if isinstance(seed, (int, np.integer)):
        seed = int(seed)  # 2**32 does not fit into NumPy's smaller integers
        if not 0 <= seed < 2**64:
            raise ValueError(f"`seed` must be in [0, 2**64). Received: {seed=}")
        seed_words = _word(seed % 2**32), _word(seed // 2**32)
    else:
        seed_words = ops.cast(seed, "uint32"), _word(0)
    counter = ops.cast(image_indices, "uint32"), _word(level)
    return ops.stack(threefry_2x32(seed_words, counter), axis=-1)


def random_words(keys, position, count):
    """Uniform 32-bit words.

    Args:
        keys: uint32 tensor `(batch, 2)`.
        position: int tensor of any shape.
        count: int, how many for each image and position.

    Returns:
        uint32 tensor `(*position.shape, batch, count)`.
    """
    blocks = ops.convert_to_tensor(np.arange((count + 1) // 2, dtype="uint32"))
    counter = ops.cast(position, "uint32")[..., None, None], blocks
    left, right = threefry_2x32((keys[:, :1], keys[:, 1:]), counter)
    return ops.concatenate([left, right], axis=-1)[..., :count]


def uniform_noise(keys, position, count):
    """Uniform noise in (0, 1), float32 `(*position.shape, batch, count)`; as `random_words`."""
    return _uniform(random_words(keys, position, count))


def gumbel_noise(keys, position, count):
    """Standard Gumbel noise, float32 `(*position.shape, batch, count)`; as `random_words`.

    The argmax of logits plus this noise is a draw from their softmax; arXiv:1411.0030 calls it
    the Gumbel-Max trick.
    """
    return -ops.log(-ops.log(uniform_noise(keys, position, count)))


def normal_noise(keys, position, count):
    """Standard normal noise, float32 `(*position.shape, batch, count)`; as `random_words`.

    Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958: two uniform
    numbers give the radius and the angle of two normal ones. Up to 5.8 in size.
    """
    half = (count + 1) // 2
    uniform = _uniform(random_words(keys, position, 2 * half))
    radius = ops.sqrt(-2.0 * ops.log(uniform[..., :half]))
    angle = 2.0 * math.pi * uniform[..., half:]
    pairs = [radius * ops.cos(angle), radius * ops.sin(angle)]
    return ops.concatenate(pairs, axis=-1)[..., :count]


def _uniform(words):
    """Uniform float32 numbers in (0, 1) of uint32 words."""
    # 23 bits and a half: exact in float32 and never 0 or 1, so that logarithms are finite.
    return (ops.cast(ops.right_shift(words, _word(9)), "float32") + 0.5) * 2.0**-23


def uniform_labels(seed, image_indices, num_classes):
    """int32 `(batch,)` in `[0, num_classes)`: the classes of images that come without one."""
    # The remainder favours low classes by num_classes / 2^32 at most, which nobody will ever see.
    words = random_words(image_keys(seed, image_indices, LABEL_STREAM), 0, 1)[:, 0]
    return ops.cast(words % _word(num_classes), "int32")
