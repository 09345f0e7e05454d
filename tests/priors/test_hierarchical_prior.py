"""HierarchicalPrior: one distribution over all levels, of which each level is a factor."""

import itertools
import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from vqzoo import networks, priors
from vqzoo.priors import AutoregressivePrior, HierarchicalPrior
from vqzoo.sampling import SamplingOptions
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import gumbel_noise, image_keys

NETWORK = {"family": "GatedPixelCNN", "filters": 6, "num_layers": 2, "head_filters": 8}
STACK = {"filters": 4, "residual_filters": 5, "num_blocks": 1, "dropout": 0.1}
LEVELS = [{"network": NETWORK}] + [{"network": NETWORK, "conditioning": STACK}] * 2


def make(sizes, shapes, num_classes=None, scale=0.4):
    """A small prior whose random weights are large enough for probabilities to vary."""
    levels = LEVELS[: len(sizes)]
    prior = HierarchicalPrior.for_latents(shapes, sizes, num_classes, levels)
    rng = np.random.default_rng(0)
    for weight in prior.weights:
        weight.assign(rng.normal(0, scale, weight.shape))
    return prior


@pytest.fixture(scope="module")
def three():
    """Three levels of 1x2, 2x4 and 4x8 codes, of three classes."""
    return make([4, 5, 6], [(1, 2), (2, 4), (4, 8)], 3)


@pytest.fixture(scope="module")
def codes(three):
    return random_latents(three, 6)


def random_latents(prior, count, seed=0):
    rng = np.random.default_rng(seed)
    levels = zip(prior.latent_shapes, prior.codebook_sizes)
    return [rng.integers(0, size, (count, *shape), dtype="int32") for shape, size in levels]


def inputs(latents, labels=None):
    """What `fit` takes."""
    levels = {f"codes_{i}": level for i, level in enumerate(latents)}
    return levels if labels is None else levels | {"labels": labels}


@pytest.fixture(scope="module")
def enumerated():
    """A prior over 1x2 and 2x4 codes of which there are two, and all 1,024 pairs of maps."""
    prior = make([2, 2], [(1, 2), (2, 4)], 2, scale=0.8)
    every = np.array(list(itertools.product([0, 1], repeat=10)), "int32")
    return prior, [every[:, :2].reshape(-1, 1, 2), every[:, 2:].reshape(-1, 2, 4)]


def test_probabilities_of_all_levels_sum_to_one(enumerated):
    prior, latents = enumerated
    for labels in (0, 1, None):
        nats = prior.log_prob(latents, labels).astype("float64")
        np.testing.assert_allclose(np.exp(nats).sum(), 1, atol=1e-5)
        assert nats.std() > 0.1


def test_without_labels_classes_are_averaged_over_all_levels_together(enumerated):
    prior, latents = enumerated
    each = [np.exp(prior.log_prob(latents, label).astype("float64")) for label in (0, 1)]
    joint = np.mean(each, axis=0)
    np.testing.assert_allclose(prior.log_prob(latents), np.log(joint), rtol=1e-5)
    coarse = joint.reshape(4, 256).sum(axis=1)  # p(codes_0), by adding up all finer maps
    rows = prior.level_log_probs(latents)
    np.testing.assert_allclose(rows[0], np.log(np.repeat(coarse, 256)), rtol=1e-4)
    np.testing.assert_allclose(rows[1], np.log(joint / np.repeat(coarse, 256)), rtol=1e-4)
    alone = [prior.levels[1].log_prob(latents, label) for label in (0, 1)]
    wrong = np.logaddexp.reduce(alone, axis=0) - math.log(2)
    assert np.abs(rows[1] - wrong).max() > 0.01, "level by level would do: the test shows nothing"


def test_levels_add_up(three, codes):
    labels = np.arange(6) % 3
    rows = three.level_log_probs(codes, labels, batch_size=4)
    for i, level in enumerate(three.levels):
        np.testing.assert_allclose(rows[i], level.log_prob(codes[: i + 1], labels), rtol=1e-5)
    np.testing.assert_allclose(three.log_prob(codes, labels), rows.sum(axis=0), rtol=1e-5)


def test_a_level_depends_on_each_coarser_one_and_on_no_finer_one(three, codes):
    before = three.level_log_probs(codes, 1)
    for changed in range(3):
        others = [level.copy() for level in codes]
        others[changed] = (others[changed] + 1) % three.codebook_sizes[changed]
        moved = (np.abs(three.level_log_probs(others, 1) - before) > 1e-4).any(axis=1)
        assert moved.tolist() == [level >= changed for level in range(3)]


def test_the_incremental_sampler_draws_what_the_naive_loop_draws(three):
    quick = three.sample(5, seed=3)
    slow = three.sample(5, seed=3, options=SamplingOptions(incremental=False))
    for one, other, shape in zip(quick, slow, three.latent_shapes, strict=True):
        assert one.shape == (5, *shape)
        np.testing.assert_array_equal(one, other)
    batches, later = three.sample(5, seed=3, batch_size=3), three.sample(5, seed=3, first_index=2)
    for level, (others, tail) in enumerate(zip(batches, later)):
        np.testing.assert_array_equal(others, quick[level])
        np.testing.assert_array_equal(tail[:3], quick[level][2:])
        assert (tail[:3] != quick[level][:3]).any()


def test_each_level_has_noise_of_its_own():
    """Logits that are all 0 leave the noise alone, a function of seed, image, level, position."""
    prior = make([7, 7], [(2, 2), (4, 4)], scale=0)
    for level, drawn in enumerate(prior.sample(3, seed=5, first_index=2)):
        keys = image_keys(5, 2 + np.arange(3), level)
        noise = np.asarray(gumbel_noise(keys, np.arange(drawn[0].size), 7))
        expected = noise.argmax(axis=-1).T.reshape(drawn.shape)
        np.testing.assert_array_equal(drawn, expected)


def test_completion_keeps_what_is_known_on_every_level(three, codes):
    masks = [np.zeros(level.shape, bool) for level in codes]
    masks[0][:, 0, 1] = masks[2][:, 2:, 5:] = True
    completed = three.sample(6, labels=1, known=(codes, masks))
    for level, known, mask in zip(completed, codes, masks):
        np.testing.assert_array_equal(level[~mask], known[~mask])
    assert any((level != known).any() for level, known in zip(completed, codes))
    everything = [np.ones(level.shape, bool) for level in codes]
    for level, free in zip(three.sample(6, 1, 2, known=(codes, everything)), three.sample(6, 1, 2)):
        np.testing.assert_array_equal(level, free)


def test_a_level_is_sampled_given_the_coarser_codes(three):
    latents = three.sample(5, labels=2, seed=1)
    settled = [np.zeros((5, *shape), bool) for shape in three.latent_shapes]
    settled[1][:] = True
    drawn = three.levels[1].sample(5, 2, 1, known=(latents[:2], settled[:2]))
    for level, expected in zip(drawn, latents[:2], strict=True):
        np.testing.assert_array_equal(level, expected)
    for known in (None, (latents[:2], [~settled[0], settled[1]])):
        with pytest.raises(ValueError, match="`known` must give all codes of the 1 coarser"):
            three.levels[1].sample(5, 2, known=known)


def test_what_an_export_holds_samples_the_same(three):
    seeds, labels = np.array([3, 9], "int64"), np.array([1, 2], "int32")
    traced = compiled(three.latents_of_seeds, three, jit=False)(
        seeds, labels, np.ones(2, "float32")
    )
    for i, (seed, label) in enumerate(zip(seeds, labels)):
        for level, drawn in enumerate(three.sample(5, int(label), int(seed))):
            np.testing.assert_array_equal(traced[level][i], drawn[0])


def test_fit_trains_all_levels_or_one():
    prior = make([4, 5], [(1, 2), (2, 4)], 3, scale=0.2)
    latents, labels = random_latents(prior, 12), np.arange(12) % 3
    prior.compile("sgd")
    logged = prior.evaluate(inputs(latents, labels), batch_size=5, verbose=0, return_dict=True)
    nats = -prior.level_log_probs(latents, labels).mean(axis=1) / [2, 8]
    np.testing.assert_allclose(logged["loss"], nats.sum(), rtol=1e-5)  # uneven batches weighted
    for level in range(2):
        np.testing.assert_allclose(logged[f"bits_per_code_{level}"], nats[level] / np.log(2), 1e-5)
    prior.compile(keras.optimizers.Adam(0.02))
    losses = prior.fit(inputs(latents, labels), epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.1
    coarse, fine = prior.levels
    before = [weight.copy() for weight in coarse.get_weights()]
    stack_before = [weight.copy() for weight in fine.conditioning.get_weights()]
    fine.compile(keras.optimizers.Adam(0.02))
    losses = fine.fit(inputs(latents, labels), epochs=10, verbose=0).history["bits_per_code"]
    assert losses[-1] < losses[0] - 0.1
    for old, new in zip(before, coarse.get_weights()):
        np.testing.assert_array_equal(old, new)
    changed = [
        np.abs(new - old).max() > 0
        for old, new in zip(stack_before, fine.conditioning.get_weights(), strict=True)
    ]
    assert all(changed), "coarser codes teach nothing"


FRESH = """
import sys, keras, numpy as np
import vqzoo.priors
prior = keras.models.load_model(sys.argv[1])
saved = np.load(sys.argv[2])
latents = [saved["codes_0"], saved["codes_1"]]
np.testing.assert_allclose(prior.log_prob(latents), saved["nats"], 1e-6)
np.testing.assert_array_equal(prior.sample(2, seed=5)[1], saved["drawn"])
"""


@pytest.mark.slow
def test_saved_and_loaded_in_a_fresh_process(tmp_path):
    prior = make([4, 5], [(1, 2), (2, 4)])
    latents = random_latents(prior, 4)
    prior.save(tmp_path / "prior.keras")
    saved = {"nats": prior.log_prob(latents), "drawn": prior.sample(2, seed=5)[1]}
    np.savez(tmp_path / "saved.npz", **inputs(latents), **saved)
    command = [sys.executable, "-c", FRESH, tmp_path / "prior.keras", tmp_path / "saved.npz"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def level(size, shape, coarser=(), num_classes=None, filters=4, channels=4):
    stack = networks.ConditioningStack(coarser, filters=filters) if coarser else None
    arguments = {"filters": 2, "num_layers": 1, "condition_channels": channels if coarser else None}
    network = networks.GatedPixelCNN(size, num_classes, **arguments)
    return AutoregressivePrior(network, shape, len(coarser), stack)


@pytest.mark.parametrize(
    "make_levels, named",
    [
        (lambda: [], "`levels`"),
        (lambda: [level(3, (2, 2)), level(3, (2, 2))], "`levels[1].level`"),
        (lambda: [level(3, (2, 2)), level(3, (8, 8), [3])], "`levels[0].latent_shapes`"),
        (lambda: [level(3, (2, 2)), level(3, (4, 4), [5])], "`levels[0].codebook_sizes`"),
        (lambda: [level(3, (2, 2), (), 2), level(3, (4, 4), [3])], "`levels[0].num_classes`"),
        (lambda: [level(3, (2, 2)), level(3, (4, 5), [3])], "`latent_shape`"),
        (lambda: [level(3, (2, 2)), level(3, (4, 4), [3], channels=5)], "`conditioning`"),
    ],
)
def test_levels_that_do_not_fit_are_named(make_levels, named):
    with pytest.raises(ValueError) as caught:
        HierarchicalPrior(make_levels())
    assert named in str(caught.value) and "Received: " in str(caught.value)


def test_labels_are_needed_where_a_mean_over_classes_would_be_wrong(three, codes):
    with pytest.raises(ValueError, match="`labels` must be given for a level above 0"):
        three.levels[1].log_prob(codes[:2])


@pytest.mark.parametrize(
    "shapes, sizes, levels, named",
    [
        ([(2, 2), (4, 4)], [3, 3], LEVELS[:1], "`levels` must hold one mapping for each"),
        ([(2, 2), (4, 4)], [3, None], LEVELS[:2], "`levels` must hold one mapping for each"),
        ([(2, 2), (6, 6)], [3, 3], LEVELS[:2], "`latent_shapes`"),
    ],
)
def test_latents_that_do_not_fit_are_named(shapes, sizes, levels, named):
    with pytest.raises(ValueError, match=named):
        HierarchicalPrior.for_latents(shapes, sizes, None, levels)


def test_registered():
    assert priors.FAMILIES["HierarchicalPrior"] is HierarchicalPrior
