import math

import numpy as np
import pytest

from tests.models.tiny_lab import IMAGES, calm_lab, lab, log_joint
from vqzoo.evaluation import iwae_bound
from vqzoo.evaluation.iwae import iwae_bounds
from vqzoo.models.discrete_vae import POSTERIORS

STOCHASTIC = pytest.mark.parametrize("posterior", ["distance", "categorical"])


def log_mean_exp(values, axis=None):
    most = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - most).mean(axis=axis)) + np.squeeze(most, axis)


def evidence(model, image):
    nats = log_joint(model, image)
    return log_mean_exp(nats) + math.log(len(nats))


def one_draw_each(model, image, count):
    """`count` independent log-weights log p(x, z) - log q(z | x): one image, given often."""
    images = np.broadcast_to(image, (count, *image.shape))
    return model.elbo(images, batch_size=512).astype("float64")


def wide_lab(posterior):
    """A model whose importance weights differ little, so that their mean is known well."""
    return lab(posterior, scale=400.0)


@STOCHASTIC
def test_weights_average_to_the_exact_evidence(posterior):
    model = wide_lab(posterior)
    exact = evidence(model, IMAGES[0])
    ratios = np.exp(one_draw_each(model, IMAGES[0], 5000) - exact)
    # E_q p(x, z) / q(z | x) = p(x), whatever q is: three standard errors of the mean.
    error = ratios.std() / math.sqrt(len(ratios))
    assert abs(ratios.mean() - 1) < 3 * error
    assert error < 0.05 and ratios.std() > 0.05, "too wide or too narrow to show anything"


@STOCHASTIC
def test_mean_bound_rises_with_the_number_of_draws_and_stays_below_the_evidence(posterior):
    model = wide_lab(posterior)
    exact = evidence(model, IMAGES[0])
    draws = one_draw_each(model, IMAGES[0], 4096)
    bounds = [log_mean_exp(draws.reshape(-1, s), axis=1) for s in (1, 4, 16, 64)]
    means = [bound.mean() for bound in bounds]
    errors = [bound.std() / math.sqrt(len(bound)) for bound in bounds]
    assert means == sorted(means)
    assert all(m < exact + 3 * e for m, e in zip(means, errors, strict=True))
    assert exact - means[-1] < 0.5 * (exact - means[0])


@STOCHASTIC
def test_first_draws_are_those_of_fewer_and_the_first_is_the_elbo(posterior):
    model = lab(posterior)
    single = [model.elbo(IMAGES, seed=7 + draw * 2**32).astype("float64") for draw in range(3)]
    for count in (1, 2, 3):
        expected = log_mean_exp(np.stack(single[:count]), axis=0)
        found = iwae_bound(model, IMAGES, count, seed=7)
        np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert (single[0] != single[1]).any()
    both = iwae_bounds(model, IMAGES, [3, 1], seed=7)
    for count, found in zip((3, 1), both, strict=True):
        np.testing.assert_array_equal(found, iwae_bound(model, IMAGES, count, seed=7))


@pytest.mark.slow
@STOCHASTIC
def test_five_thousand_draws_come_within_a_hundredth_of_a_nat(posterior):
    model = calm_lab(posterior)
    exact = np.array([evidence(model, image) for image in IMAGES[:2]])
    draws = np.stack([one_draw_each(model, image, 5000) for image in IMAGES[:2]])
    # The bound's standard error is that of the mean weight, relative to the evidence.
    errors = np.exp(draws - exact[:, None]).std(axis=1) / math.sqrt(5000)
    assert (errors < 0.01 / 3).all()
    assert (exact - draws.mean(axis=1) > 0.01).any(), "one draw is as good: an empty test"
    found = iwae_bound(model, IMAGES[:2], 5000)
    assert (exact - found < 0.01).all() and (found < exact + 3 * errors).all()


@pytest.mark.parametrize("prior", ["uniform", "autoregressive"])
def test_a_posterior_of_one_code_has_the_same_bound_for_every_number_of_draws(prior):
    model = lab("quantized", prior)
    elbo = model.elbo(IMAGES)
    for count in (1, 10, 1000):
        np.testing.assert_allclose(iwae_bound(model, IMAGES, count), elbo, rtol=1e-6)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_bound_of_a_single_code_is_the_closed_form(posterior):
    """With one code the evidence is a normal density: Equation 9 has a closed form."""
    model = lab(posterior, "uniform", num_embeddings=1)
    bits, kind = model.bits_per_dim(IMAGES)
    mean = 1 + np.asarray(model.autoencoder.decoder_output([np.zeros((1, 2, 2), "int32")]))
    # In the paper's units: pixels v / 256, noise U(0, 1/256), then - log2(1/256).
    centre, width = (127.5 * mean.astype("float64") + 0.5) / 256, 60.0 / 256
    noise = (np.arange(200) + 0.5) / 200 / 256
    pixels = IMAGES[..., None] / 256 + noise
    log2 = -0.5 * ((pixels - centre[..., None]) / width) ** 2 / math.log(2)
    log2 -= math.log2(width * math.sqrt(2 * math.pi))
    expected = -log2.mean(axis=(1, 2, 3, 4)) + 8
    assert kind == "bound"
    np.testing.assert_allclose(bits, expected, rtol=1e-5)
    np.testing.assert_allclose(iwae_bound(model, IMAGES, 5), model.elbo(IMAGES), rtol=1e-6)


def test_wrong_arguments_are_named():
    model = lab()
    with pytest.raises(ValueError, match="`num_samples`"):
        iwae_bound(model, IMAGES, 0)
    with pytest.raises(ValueError, match="`seed`"):
        iwae_bound(model, IMAGES, 2, seed=2**32)
