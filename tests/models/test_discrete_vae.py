import keras
import numpy as np
import pytest

from tests.fresh_process import call_in_fresh_process
from tests.models.tiny_lab import IMAGES, K, lab
from vqzoo.layers import AnnealTemperature
from vqzoo.models.discrete_vae import POSTERIORS, DiscreteVAE

DRAWN = ("distance", "categorical")
EVERY = pytest.mark.parametrize("posterior", POSTERIORS)
STOCHASTIC = pytest.mark.parametrize("posterior", DRAWN)


def new_model(posterior, **changes):
    return lab(posterior, **changes).autoencoder


@EVERY
def test_codes_decode_to_the_reconstruction(posterior):
    model = lab(posterior)
    (codes,) = model.encode(IMAGES)
    assert codes.shape == (10, 2, 2) and codes.dtype == np.int32 and codes.max() < K
    np.testing.assert_array_equal(model.decode([codes]), model.reconstruct(IMAGES))


@EVERY
def test_loss_is_the_error_and_what_the_posterior_adds(posterior):
    model = new_model(posterior)
    model.compile("adam")
    logs = model.test_on_batch(IMAGES, return_dict=True)
    error = np.mean((np.asarray(model(IMAGES), "float64") - (IMAGES / 127.5 - 1)) ** 2)
    added = 1.25 * logs["commitment"] if posterior == "quantized" else 0.0
    assert logs["loss"] == pytest.approx(error + added, rel=1e-5)
    assert logs["mse"] == pytest.approx(error, rel=1e-5)


@EVERY
def test_a_posterior_gives_normalised_draws_of_its_own(posterior):
    model = new_model(posterior)
    latents, draws, log_q = model.posterior(IMAGES, 5, np.arange(10))
    np.testing.assert_array_equal(latents[0], model.encode(IMAGES)[0])
    if posterior == "quantized":
        assert draws is latents and not log_q.any() and not model.stochastic
        return
    of_codes = np.asarray(model.bottleneck.log_probs(model.encoder(IMAGES)), "float64")
    np.testing.assert_allclose(np.exp(of_codes).sum(axis=-1), 1.0, rtol=1e-5)
    expected = [
        sum(of_codes[n, row, column, draws[0][n, row, column]] for row, column in np.ndindex(2, 2))
        for n in range(10)
    ]
    np.testing.assert_allclose(log_q, expected, rtol=1e-5)


@STOCHASTIC
def test_draws_have_the_frequencies_of_the_posterior(posterior):
    model, many = new_model(posterior), 20_000
    of_codes = np.asarray(model.bottleneck.log_probs(model.encoder(IMAGES[:1])), "float64")[0]
    images = np.broadcast_to(IMAGES[:1], (many, 8, 8, 1))
    _, (draws,), _ = model.posterior(images, 0, np.arange(many))
    seen = 0
    for place in np.ndindex(2, 2):
        found = np.bincount(draws[:, place[0], place[1]], minlength=K) / many
        expected = np.exp(of_codes[place])
        # Four standard deviations of a frequency, 24 of them for each posterior.
        assert (np.abs(found - expected) < 4 * np.sqrt(expected / many) + 1e-4).all()
        seen += (found > 0).sum()
    assert seen > 8, "the posterior hardly draws: the test is empty"


@STOCHASTIC
def test_a_draw_depends_on_the_seed_and_the_index_alone(posterior):
    model = new_model(posterior)
    whole = model.posterior(IMAGES, 5, np.arange(10))[1][0]
    np.testing.assert_array_equal(model.posterior(IMAGES[7:], 5, [7, 8, 9])[1][0], whole[7:])
    for other in (6, 5 + 2**32):
        assert (model.posterior(IMAGES, other, np.arange(10))[1][0] != whole).any()


def test_training_anneals_where_there_is_something_to_draw():
    for posterior in POSTERIORS:
        callbacks = new_model(posterior).training_callbacks(7)
        assert [type(callback) for callback in callbacks] == (
            [AnnealTemperature] if posterior in DRAWN else []
        )


@EVERY
def test_a_few_steps_lower_the_error(posterior):
    model = new_model(posterior, filters=16)
    model.compile(keras.optimizers.Adam(1e-2))
    arguments = {"epochs": 40, "batch_size": 4, "verbose": 0}
    callbacks = model.training_callbacks()
    errors = model.fit(IMAGES[:4], callbacks=callbacks, **arguments).history["mse"]
    assert errors[-1] < 0.9 * errors[0]


def test_scale_is_fixed_or_to_be_fitted():
    fixed, free = new_model("categorical", scale=12.0), new_model("categorical", scale=None)
    assert float(fixed.likelihood_scale) == 12.0 and not fixed.fits_scale and free.fits_scale


@EVERY
def test_tokenizer_hash_covers_what_decides_the_codes(posterior):
    model = new_model(posterior)
    before = model.tokenizer_hash()
    model.decoder.weights[0].assign(2 * model.decoder.weights[0])
    assert model.tokenizer_hash() == before
    model.encoder.weights[0].assign(2 * model.encoder.weights[0])
    assert model.tokenizer_hash() != before


@EVERY
def test_reloaded_in_a_fresh_process(posterior, tmp_path):
    model = new_model(posterior)
    output = call_in_fresh_process(model, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(output, model(IMAGES), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"posterior": "quantised"}, "`posterior` must be one of"),
        ({"scale": 0.0}, "`scale` must be a number above 0"),
        ({"image_shape": [8, 10, 1]}, "`image_shape` must be"),
        ({"num_embeddings": 0}, "`num_embeddings`"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        DiscreteVAE(**{"image_shape": [8, 8, 1], **arguments})
