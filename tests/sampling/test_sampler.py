"""The incremental sampler draws what the naive loop draws, and what the network says."""

import keras
import numpy as np
import pytest

from vqzoo.likelihoods import DiscretizedLogisticMixture
from vqzoo.networks import GatedPixelCNN, PixelCNNPlusPlus, PixelCNNPlusPlusPixels, PixelSNAIL
from vqzoo.sampling import SamplingOptions
from vqzoo.sampling.agreement import first_differences_are_ties
from vqzoo.sampling.draws import CodeDraws, PixelDraws
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.sampler import Sampler


SMALL = {
    GatedPixelCNN: {"filters": 6, "num_layers": 3, "head_filters": 8},
    PixelCNNPlusPlus: {"filters": 5, "num_blocks": 1, "num_downsamplings": 2},
    PixelSNAIL: {"filters": 6, "residual_filters": 5, "num_layers": 2, "kernel_size": 3}
    | {"attention_after": [2], "num_heads": 2, "key_dim": 3, "value_dim": 2},
}


def network(seed=0, **arguments):
    """A small network whose random weights are large enough for its outputs to vary."""
    family = arguments.pop("family", GatedPixelCNN)
    keras.utils.set_random_seed(seed)
    causal = family(11, **{**SMALL[family], **arguments})
    rng = np.random.default_rng(seed)
    # What every block of a PixelCNN++ adds would drown the noise with larger ones.
    size = 0.25 if family is PixelCNNPlusPlus else 0.5
    for weight in causal.weights:
        weight.assign(rng.normal(0, size, weight.shape))
    return causal


def nothing_known(batch, height, width):
    return np.zeros((batch, height, width), "int32"), np.ones((batch, height, width), bool)


CASES = {
    "unconditional": ({}, (4, 4)),
    "wide": ({}, (5, 9)),
    "tall": ({"num_classes": 3}, (9, 4)),
    "one row": ({}, (1, 6)),
    "one column": ({}, (6, 1)),
    "classes": ({"num_classes": 3}, (5, 9)),
    "features": ({"condition_channels": 2}, (5, 9)),
    "both": ({"num_classes": 3, "condition_channels": 2}, (4, 5)),
    "large windows": ({"kernel_size": 5, "first_kernel_size": 9}, (5, 6)),
    "small windows": ({"first_kernel_size": 3, "num_layers": 1}, (4, 5)),
    "attention": ({"family": PixelSNAIL}, (8, 8)),
    "attention, both": (
        {"family": PixelSNAIL, "num_classes": 3, "condition_channels": 2, "output_blocks": 1},
        (5, 9),
    ),
    "attention twice": ({"family": PixelSNAIL, "attention_after": [1, 2]}, (5, 9)),
    "no attention": (
        {"family": PixelSNAIL, "attention_after": [], "kernel_size": 5, "condition_channels": 2},
        (8, 8),
    ),
    "one resolution": (
        {"family": PixelCNNPlusPlus, "num_downsamplings": 0, "num_classes": 3},
        (5, 9),
    ),
    "two resolutions": (
        {"family": PixelCNNPlusPlus, "num_downsamplings": 1, "num_blocks": 2},
        (6, 7),
    ),
    "three resolutions": (
        {"family": PixelCNNPlusPlus, "num_classes": 3, "condition_channels": 2},
        (7, 9),
    ),
    "two, one row": ({"family": PixelCNNPlusPlus, "num_downsamplings": 1}, (1, 6)),
    "two, one column": ({"family": PixelCNNPlusPlus, "num_downsamplings": 1}, (6, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_incremental_equals_naive(case):
    arguments, (height, width) = CASES[case]
    causal, batch = network(**arguments), 3
    rng, condition = np.random.default_rng(1), {}
    if causal.num_classes:
        condition["labels"] = np.array([2, 0, 1], "int32")
    if causal.condition_channels:
        condition["features"] = rng.normal(size=(batch, height, width, 2)).astype("float32")
    sampler, keys = Sampler(causal), image_keys(7, np.arange(batch))
    known = nothing_known(batch, height, width)
    fast = np.asarray(sampler(keys, condition, *known))
    slow = np.asarray(sampler(keys, condition, *known, SamplingOptions(incremental=False)))
    assert first_differences_are_ties(causal, condition or None, keys, fast, slow)
    assert (fast == slow).mean() > 0.9  # a tie in each image would be a wonder
    assert len(np.unique(fast)) > 3


@pytest.mark.parametrize("options", [{"top_k": 3}, {"top_p": 0.6}, {"temperature": 0.5}])
def test_filters_take_part(options):
    causal, keys = network(), image_keys(7, np.arange(3))
    known = nothing_known(3, 4, 5)
    fast = np.asarray(Sampler(causal)(keys, None, *known, SamplingOptions(**options)))
    slow_options = SamplingOptions(incremental=False, **options)
    np.testing.assert_array_equal(fast, Sampler(causal)(keys, None, *known, slow_options))
    assert (fast != np.asarray(Sampler(causal)(keys, None, *known))).any()


def test_top_1_takes_the_most_likely_code():
    causal, keys = network(), image_keys(7, np.arange(2))
    codes = Sampler(causal)(keys, None, *nothing_known(2, 3, 4), SamplingOptions(top_k=1))
    np.testing.assert_array_equal(codes, np.argmax(causal(codes), axis=-1))


def test_both_filters_together_in_their_order():
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1]], "float32"))
    options = SamplingOptions(top_k=2, top_p=0.5)  # of 4/7 and 3/7 the first is enough
    for seed in range(5):
        noise = np.random.default_rng(seed).gumbel(size=(1, 4)).astype("float32")
        assert CodeDraws(4, options).choose(logits, noise, np.ones(1, "float32")) == 0


@pytest.mark.parametrize("incremental", [True, False])
def test_known_codes_stay_and_count(incremental):
    keys, sampler = image_keys(3, np.arange(2)), Sampler(network())
    options = SamplingOptions(incremental=incremental)
    codes, mask = nothing_known(2, 4, 5)
    free = np.asarray(sampler(keys, None, codes, mask, options))
    np.testing.assert_array_equal(sampler(keys, None, free, mask, options), free)
    codes[:, 1, 2] = (free[:, 1, 2] + 1) % 11
    mask[:, 1, 2] = False
    clamped = np.asarray(sampler(keys, None, codes, mask, options))
    np.testing.assert_array_equal(clamped[:, 1, 2], codes[:, 1, 2])
    order = np.arange(20).reshape(4, 5)
    np.testing.assert_array_equal(clamped[:, order < 7], free[:, order < 7])
    assert (clamped[:, order > 7] != free[:, order > 7]).any()


def test_weights_that_change_are_seen():
    causal, keys = network(), image_keys(3, np.arange(2))
    sampler, known = Sampler(causal), nothing_known(2, 3, 3)
    before = np.asarray(sampler(keys, None, *known))
    causal.to_logits.bias.assign(np.eye(11)[4] * 1e3)
    assert (np.asarray(sampler(keys, None, *known)) == 4).all()
    assert (before != 4).any()


def test_frequencies_are_the_network_s_probabilities():
    causal, count = network(), 4000
    keys = image_keys(0, np.arange(count))
    codes = np.asarray(Sampler(causal)(keys, None, *nothing_known(count, 1, 2)))
    first = np.asarray(keras.ops.softmax(causal(codes[:1])[0, 0, 0]))
    counts = np.bincount(codes[:, 0, 0], minlength=11)
    chi_squared = ((counts - count * first) ** 2 / (count * first)).sum()
    assert chi_squared < 29.6  # 10 degrees of freedom, one seed in a thousand
    after = codes[codes[:, 0, 0] == counts.argmax()]
    second = np.asarray(keras.ops.softmax(causal(after[:1])[0, 0, 1]))
    counts = np.bincount(after[:, 0, 1], minlength=11)
    assert ((counts - len(after) * second) ** 2 / (len(after) * second)).sum() < 29.6


@pytest.mark.parametrize("channels, shape", [(3, (5, 6)), (1, (4, 7))])
def test_incremental_pixels_equal_naive_ones(channels, shape):
    likelihood, rng = DiscretizedLogisticMixture(2, channels), np.random.default_rng(0)
    sizes = {"filters": 5, "num_blocks": 1, "num_downsamplings": 1, "num_classes": 2}
    causal = PixelCNNPlusPlusPixels(channels, likelihood.num_parameters, **sizes)
    for weight in causal.weights:
        weight.assign(rng.normal(0, 0.25, weight.shape))
    causal.head.kernel.assign(causal.head.kernel / 10)  # else most pixels are black or white
    sampler, keys = Sampler(causal, likelihood), image_keys(5, np.arange(2))
    condition = {"labels": np.array([1, 0], "int32")}
    known = rng.integers(0, 256, (2, *shape, channels), "int32")
    mask = rng.uniform(size=(2, *shape)) < 0.8
    fast = np.asarray(sampler(keys, condition, known, mask))
    slow = np.asarray(sampler(keys, condition, known, mask, SamplingOptions(incremental=False)))
    ties = first_differences_are_ties(causal, condition, keys, fast, slow, likelihood=likelihood)
    assert ties and (fast == slow).mean() > 0.9  # a tie in each image would be a wonder
    np.testing.assert_array_equal(fast[~mask], known[~mask])
    assert fast.min() >= 0 and fast.max() < 256 and len(np.unique(fast[mask])) > 8
    # The last pixel as the likelihood draws it from the network's outputs and the same noise:
    outputs, noise = causal(fast, condition)[:, -1, -1], PixelDraws(likelihood, SamplingOptions())
    noise = noise.noise(keys, shape[0] * shape[1] - 1)
    last = np.asarray(likelihood.draw(outputs, noise))
    np.testing.assert_array_equal(fast[mask[:, -1, -1], -1, -1], last[mask[:, -1, -1]])


@pytest.mark.parametrize("options", [{"top_k": 3}, {"top_p": 0.6}, {"temperature": 0.5}])
def test_filters_of_codes_are_refused_for_pixels(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        PixelDraws(DiscretizedLogisticMixture(), SamplingOptions(**options))


def test_agreement_can_fail():
    causal, keys = network(), image_keys(7, np.arange(2))
    codes = np.asarray(Sampler(causal)(keys, None, *nothing_known(2, 3, 4)))
    other = codes.copy()
    other[1, 2, 1] = (other[1, 2, 1] + 1) % 11
    assert first_differences_are_ties(causal, None, keys, codes, codes)
    assert not first_differences_are_ties(causal, None, keys, codes, other)


def test_agreement_of_pixels_can_fail():
    likelihood = DiscretizedLogisticMixture(2, 1)
    causal = PixelCNNPlusPlusPixels(1, likelihood.num_parameters, filters=2, num_blocks=1)
    keys, known = image_keys(7, np.arange(2)), nothing_known(2, 2, 2)
    known = np.zeros((2, 2, 2, 1), "int32"), known[1]
    naive = SamplingOptions(incremental=False)
    pixels = np.asarray(Sampler(causal, likelihood)(keys, None, *known, naive))
    other = pixels.copy()
    other[1, 1, 0] += 2
    for maps, agree in (((pixels, pixels), True), ((pixels, other), False)):
        assert first_differences_are_ties(causal, None, keys, *maps, likelihood=likelihood) == agree
