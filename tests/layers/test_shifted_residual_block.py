"""ShiftedResidualBlock: equals its definition, refuses what does not fit."""

import keras
import numpy as np
import pytest

from tests.layers.slow_blocks import randomized, slow_shifted_block
from vqzoo.layers import ShiftedResidualBlock


def maps(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(**arguments):
    block = ShiftedResidualBlock(3, **arguments)
    block.build((None, None, None, 3))
    return randomized(block)


@pytest.mark.parametrize("with_skips", [False, True])
@pytest.mark.parametrize("conditional", [False, True])
def test_equals_definition(with_skips, conditional):
    arguments, given, condition = {}, {}, np.zeros((2, 1, 1, 6))
    if conditional:
        arguments = {"num_classes": 4, "condition_channels": 2}
    block = built(with_skips=with_skips, **arguments)
    if conditional:
        given = {"labels": np.array([3, 1]), "features": maps(2, 4, 5, 2, seed=2)}
        vectors, kernel = (np.asarray(w) for w in (block.class_vectors, block.features_kernel))
        condition = vectors[given["labels"]][:, None, None] + given["features"] @ kernel
    stacks, skips = maps(2, 2, 4, 5, 3), maps(2, 2, 4, 5, 3, seed=1) if with_skips else None
    outputs = block(tuple(stacks), skips if skips is None else tuple(skips), **given)
    for image in range(2):
        earlier = None if skips is None else skips[:, image]
        expected = slow_shifted_block(block, stacks[:, image], earlier, condition[image])
        for output, slow in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(output[image], slow, rtol=1e-4, atol=1e-4)


def test_starts_close_to_the_identity():
    keras.utils.set_random_seed(0)
    stacks = maps(2, 1, 8, 8, 64)
    block = ShiftedResidualBlock(64)
    for before, after in zip(stacks, block(tuple(stacks)), strict=True):
        change = np.asarray(after) - before
        assert 0.001 < change.std() < 0.2  # of inputs whose deviation is 1


def test_dropout_counts_in_training_only():
    block, stacks = built(dropout=0.5), tuple(maps(2, 1, 3, 4, 3))
    for one, other, dropped in zip(block(stacks), block(stacks), block(stacks, training=True)):
        np.testing.assert_array_equal(one, other)
        assert (np.asarray(dropped) != np.asarray(one)).any()


@pytest.mark.parametrize(
    "arguments, given, named",
    [
        ({"with_skips": True}, {}, "skips"),
        ({}, {"skips": tuple(maps(2, 1, 3, 4, 3))}, "skips"),
        ({"num_classes": 2}, {}, "labels"),
        ({}, {"labels": np.array([0])}, "labels"),
        ({"condition_channels": 2}, {}, "features"),
        ({"condition_channels": 2}, {"features": maps(1, 3, 4, 1)}, "features"),
        ({}, {"stacks": tuple(maps(2, 1, 3, 4, 2))}, "stacks"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, given, named):
    block = built(**arguments)
    with pytest.raises(ValueError, match=f"`{named}`"):
        block(**{"stacks": tuple(maps(2, 1, 3, 4, 3)), **given})


def test_channels_of_the_input_are_checked():
    with pytest.raises(ValueError, match="`filters`"):
        ShiftedResidualBlock(3)(tuple(maps(2, 1, 3, 4, 4)))
