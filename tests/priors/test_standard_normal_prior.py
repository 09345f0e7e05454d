import numpy as np
import pytest

from vqzoo.priors import StandardNormalPrior
from vqzoo.sampling import SamplingOptions

PRIOR = StandardNormalPrior([(3,), (2, 2)])
LATENTS = [np.random.default_rng(0).normal(size=(4, *shape)) for shape in PRIOR.latent_shapes]


def test_log_prob_is_the_density():
    values = np.concatenate([level.reshape(4, -1) for level in LATENTS], axis=1)
    density = np.exp(-0.5 * values**2) / np.sqrt(2 * np.pi)
    found = PRIOR.log_prob(LATENTS)
    assert found.dtype == "float32" and found.shape == (4,)
    np.testing.assert_allclose(found, np.log(density).sum(axis=1), rtol=1e-5)
    named = {f"vectors_{i}": level for i, level in enumerate(LATENTS)}
    np.testing.assert_allclose(PRIOR(named), found, rtol=1e-6)


def test_an_image_depends_on_seed_and_index_alone():
    many, few = PRIOR.sample(50, seed=3), PRIOR.sample(7, seed=3)
    assert [(level.dtype, level.shape) for level in few] == [("float32", (7, 3)),
                                                             ("float32", (7, 2, 2))]  # fmt: skip
    for one, other in zip(many, few, strict=True):
        # a logarithm's last bit may depend on its place in a vector register
        np.testing.assert_allclose(one[:7], other, rtol=1e-5, atol=1e-6)
    assert np.abs(PRIOR.sample(7, seed=4)[0] - few[0]).max() > 0.1
    halved = PRIOR.sample(7, seed=3, options=SamplingOptions(temperature=0.5))
    np.testing.assert_allclose(halved[0], 0.5 * few[0], rtol=1e-5)


def test_draws_of_seeds_are_those_of_sample():
    seeds = np.array([3, 2**32 - 1])
    together = PRIOR.latents_of_seeds(seeds, None, np.ones(2, "float32"))
    for row, seed in enumerate(seeds):
        for level, alone in zip(together, PRIOR.sample(1, seed=int(seed)), strict=True):
            np.testing.assert_allclose(level[row], alone[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PRIOR.log_prob(LATENTS[:1]), "`latents` must be a list of 2 levels"),
        (lambda: PRIOR.log_prob(LATENTS[::-1]), r"`latents` must hold arrays of .*\(batch, 3\)"),
        (lambda: PRIOR.log_prob([x.astype(int) for x in LATENTS]), "must hold finite floats"),
        (lambda: PRIOR.log_prob([x / 0.0 for x in map(abs, LATENTS)]), "nan or infinity"),
        (lambda: PRIOR.log_prob(LATENTS, 1), "`labels` must be None"),
        (lambda: PRIOR.sample(2, labels=1), "`labels` must be None"),
        (lambda: PRIOR.sample(2, options=SamplingOptions(top_k=3)), "`top_k` must be None"),
        (lambda: PRIOR.sample(2, options=SamplingOptions(top_p=0.5)), "`top_p` must be None"),
        (lambda: StandardNormalPrior.for_latents([(3,)], [None], 10), "`num_classes` must be None"),
        (lambda: StandardNormalPrior(5), "`latent_shapes` must be a list"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_config_round_trip():
    again = StandardNormalPrior.from_config(PRIOR.get_config())
    assert again.latent_shapes == PRIOR.latent_shapes and not again.weights
