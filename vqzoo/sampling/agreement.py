"""Whether two ways of sampling drew the same values, as far as float32 sums can tell."""

import itertools

import numpy as np
from keras import ops

from vqzoo.sampling.noise import gumbel_noise, uniform_noise

TIE = 1e-4
"""Perturbed logits, or uniform numbers, closer than this may change places when sums are taken in
another order."""


def first_differences_are_ties(
    network, condition, keys, first, second, temperature=1.0, likelihood=None
):
    """True if each image's two maps agree up to a position where two values are within `TIE`.

    From there on the maps may differ freely: their pasts do. Without top-k and top-p, whose limits
    would make ties of another kind.

    Args:
        network: causal network that both maps were drawn from.
        condition: as the network takes it.
        keys: uint32 `(batch, 2)`, from `noise.image_keys`.
        first, second: int arrays `(batch, height, width)`, or of pixels with an axis of channels.
        temperature: float that both were drawn with.
        likelihood: of a network over pixels; `None` for one over codes.
    """
    first, second = ops.convert_to_numpy(first), ops.convert_to_numpy(second)
    maps = [values.reshape(*values.shape[:1], -1, *values.shape[3:]) for values in (first, second)]
    differs = (maps[0] != maps[1]).reshape(*maps[0].shape[:2], -1).any(axis=-1)
    if not differs.any():
        return True
    positions = differs.argmax(axis=1)
    outputs = ops.reshape(network(first, condition), (*differs.shape, -1))
    # Up to its first difference an image has one past: the first map's outputs hold for both.
    for image in np.flatnonzero(differs.any(axis=1)):
        position = int(positions[image])
        here = outputs[image, position], keys[image : image + 1], position
        drawn = [values[image, position] for values in maps]
        if likelihood is None:
            tied = _codes_are_tied(*here, drawn, temperature)
        else:
            tied = _pixels_are_tied(*here, drawn, likelihood)
        if not tied:
            return False
    return True


def _codes_are_tied(logits, keys, position, drawn, temperature):
    """True if both codes are as good as the best one."""
    noise = gumbel_noise(keys, position, logits.shape[-1])[0]
    perturbed = ops.convert_to_numpy(logits / temperature + noise)
    return perturbed.max() - perturbed[drawn].min() <= TIE


def _pixels_are_tied(parameters, keys, position, drawn, likelihood):
    """True if the position's noise, moved by no more than `TIE`, leads to both pixels."""
    noise = ops.convert_to_numpy(uniform_noise(keys, position, likelihood.num_uniforms))
    moves = np.array(list(itertools.product((-TIE, 0, TIE), repeat=noise.shape[-1])), "float32")
    moved = np.clip(noise + moves, 1e-7, 1 - 1e-7)
    parameters = ops.repeat(parameters[None], len(moved), axis=0)
    reached = ops.convert_to_numpy(likelihood.draw(parameters, moved))
    return all((reached == pixel).all(axis=-1).any() for pixel in drawn)
