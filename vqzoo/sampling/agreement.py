"""Whether two ways of sampling drew the same codes, as far as float32 sums can tell."""

import numpy as np
from keras import ops

from vqzoo.sampling.noise import gumbel_noise

TIE = 1e-4
"""Perturbed logits closer than this may change places when sums are taken in another order."""


def first_differences_are_ties(network, condition, keys, first, second, temperature=1.0):
    """True if each image's two maps agree up to a position where two codes are within `TIE`.

    From there on the maps may differ freely: their pasts do. Without top-k and top-p, whose limits
    would make ties of another kind.

    Args:
        network: causal network that both maps were drawn from.
        condition: as the network takes it.
        keys: uint32 `(batch, 2)`, from `noise.image_keys`.
        first, second: int arrays `(batch, height, width)`.
        temperature: float that both were drawn with.
    """
    first, second = ops.convert_to_numpy(first), ops.convert_to_numpy(second)
    differs = (first != second).reshape(len(first), -1)
    if not differs.any():
        return True
    positions = differs.argmax(axis=1)
    logits = ops.reshape(network(first, condition), (*differs.shape, -1))
    # Up to its first difference an image has one past: the first map's logits hold for both.
    for image in np.flatnonzero(differs.any(axis=1)):
        position = int(positions[image])
        noise = gumbel_noise(keys[image : image + 1], position, logits.shape[-1])[0]
        perturbed = ops.convert_to_numpy(logits[image, position] / temperature + noise)
        drawn = [int(codes[image].flat[position]) for codes in (first, second)]
        if perturbed.max() - perturbed[drawn].min() > TIE:
            return False
    return True
