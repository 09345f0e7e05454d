import math

import keras
import numpy as np
import pytest

import vqzoo.config
import vqzoo.zoo
from tests.fresh_process import call_in_fresh_process
from vqzoo.models.vae import VAE

ARGUMENTS = {
    "image_shape": [8, 12, 1],
    "latent_dim": 3,
    "likelihood": "bernoulli",
    "embedding_dim": 4,
    "filters": 8,
    "residual_filters": 4,
    "num_residual_blocks": 1,
    "seed": 3,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 12, 1), dtype="uint8")
BOTH = pytest.mark.parametrize("likelihood", ["bernoulli", "discretized_normal"])


def new_model(**changes):
    """A tiny model whose posterior is not the prior."""
    keras.utils.set_random_seed(0)
    model = VAE(**{**ARGUMENTS, **changes})
    size = 2 * model.bottleneck.latent_dim
    model.bottleneck.project.bias.assign(np.linspace(-1, 0.5, size))
    model.expand.kernel.assign(3 * model.expand.kernel)
    return model


def zoo_model(**changes):
    """A `ZooModel` around `new_model`, of a data set that has classes."""
    config = {
        "data": {"image_shape": [8, 12, 1], "class_names": ["boot", "bag", "coat"]},
        "autoencoder": {"family": "VAE", **ARGUMENTS, **changes},
        "prior": {"family": "StandardNormalPrior"},
        "training": {
            "autoencoder": {"learning_rate": 1e-3, "batch_size": 4, "steps": 2, "seed": 0}
        },
    }
    vqzoo.config.check(config)
    model = vqzoo.zoo.build(config)
    model.autoencoder.set_weights(new_model(**changes).get_weights())
    return model


@BOTH
def test_logged_loss_is_the_negative_elbo(likelihood):
    model = new_model(likelihood=likelihood)
    model.compile("adam")
    logs = model.test_on_batch(IMAGES, return_dict=True)  # z is the mean
    output = np.asarray(model(IMAGES), "float64")
    outputs = model.bottleneck(model.flatten(model.encoder(IMAGES)))
    mean, log_variance = (np.asarray(outputs[key], "float64") for key in ("mean", "log_variance"))
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1).mean()
    if likelihood == "bernoulli":
        nats = -np.logaddexp(0, np.where(IMAGES >= 128, -output, output))
        pixels = 2 / (1 + np.exp(-output)) - 1
    else:
        edges = (np.stack([IMAGES - 0.5, IMAGES + 0.5]) - (output + 1) * 127.5) / 32
        below = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))(edges)
        below[0][IMAGES == 0], below[1][IMAGES == 255] = 0, 1
        nats, pixels = np.log(below[1] - below[0]), output.clip(-1, 1)
    np.testing.assert_allclose(logs["kl"], kl, rtol=1e-4)
    np.testing.assert_allclose(logs["loss"], kl - nats.sum(axis=(1, 2, 3)).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["mse"], np.square(pixels - (IMAGES / 127.5 - 1)).mean(), 1e-4)


@BOTH
def test_plain_compile_and_fit_learn(likelihood):
    colours = np.where(IMAGES[:, :1, :1] < 128, 20, 230).astype("uint8")
    model = new_model(likelihood=likelihood)
    model.compile(keras.optimizers.Adam(3e-3))
    start = model.likelihood_scale
    images = np.tile(colours, (20, 8, 12, 1))
    history = model.fit(images, epochs=10, batch_size=20, verbose=0).history
    assert set(history) == {"loss", "kl", "mse"}
    assert history["loss"][-1] < 0.95 * history["loss"][0]
    assert history["mse"][-1] < history["mse"][0]
    assert start is None or float(model.likelihood_scale) != float(start), "it is not learnt"


def test_the_bound_holds_and_is_tight_on_average():
    """E[exp(elbo)] = p(x) for any q, which quadrature over one latent number knows."""
    model = zoo_model(latent_dim=1)
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    decoded = model.autoencoder.decoder_output([points[:, None].astype("float32")])
    decoded = np.asarray(decoded, "float64")
    images = IMAGES[:4]
    signs = np.where(images >= 128, 1.0, -1.0)[:, None]
    nats = -np.logaddexp(0, -signs * decoded[None]).sum(axis=(2, 3, 4))
    exact = np.log((np.exp(nats) * weights).sum(axis=1) / math.sqrt(2 * math.pi))
    draws = np.repeat(images, 2000, axis=0)
    bounds = model.elbo(draws, batch_size=2000).astype("float64").reshape(4, 2000)
    assert (bounds.mean(axis=1) < exact).all()
    ratios = np.exp(bounds - exact[:, None])  # their mean is 1 if nothing is left out
    error = ratios.std(axis=1) / math.sqrt(2000)
    assert (error < 0.1).all(), "too wide a scatter to see anything"
    assert (np.abs(ratios.mean(axis=1) - 1) < 4 * error).all()  # four standard errors


def test_one_draw_s_bound_scatters_around_the_analytic_one():
    model = zoo_model()
    repeated = np.repeat(IMAGES[:1], 2000, axis=0)
    _, draws, log_q = model.autoencoder.posterior(repeated, 0, np.arange(2000))
    terms = log_q - model.prior.log_prob(draws)  # its mean is the divergence
    model.autoencoder.bottleneck(model.autoencoder.flatten(model.autoencoder.encoder(IMAGES[:1])))
    expected = float(model.autoencoder.bottleneck.losses[0])
    assert abs(terms.mean() - expected) < 4 * terms.std() / math.sqrt(2000)  # standard errors
    assert expected > 10 * terms.std() / math.sqrt(2000), "the divergence is lost in the scatter"


def test_elbo_is_a_function_of_seed_and_index():
    model = zoo_model()
    nats = model.elbo(IMAGES, seed=4)
    assert nats.dtype == "float32" and nats.shape == (10,)
    np.testing.assert_allclose(model.elbo(IMAGES, seed=4, batch_size=3), nats, rtol=1e-5)
    assert np.abs(model.elbo(IMAGES, seed=5) - nats).max() > 1e-3
    with pytest.raises(ValueError, match="`labels` must be None"):
        model.elbo(IMAGES, labels="bag")


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"], indirect=True)
@BOTH
def test_decoding_the_means_is_reconstructing(policy, likelihood):
    model = zoo_model(likelihood=likelihood)
    (means,) = model.encode(IMAGES)
    assert means.dtype == "float32" and means.shape == (10, 3)
    np.testing.assert_array_equal(model.decode([means]), model.reconstruct(IMAGES))
    np.testing.assert_array_equal(model.reconstruct(IMAGES, 10), model.decode([means], 10))
    assert model.decode([means]).dtype == np.uint8 and len(np.unique(model.decode([means]))) > 5
    assert np.isfinite(model.elbo(IMAGES)).all()


def test_samples_are_a_function_of_seed_and_index():
    model = zoo_model()
    images = model.sample(5, seed=3)
    np.testing.assert_array_equal(images[:2], model.sample(2, seed=3))
    assert len(np.unique(images, axis=0)) == 5
    with pytest.raises(ValueError, match="`labels` must be None"):
        model.sample(2, labels="bag")
    with pytest.raises(ValueError, match="`complete` needs a model with codes"):
        model.complete(IMAGES, np.ones((8, 12), bool))


def test_bits_of_black_and_white_are_not_given_as_those_of_grey():
    bits, kind = zoo_model(likelihood="discretized_normal").bits_per_dim(IMAGES)
    assert kind == "bound" and bits.shape == (10,)
    with pytest.raises(ValueError, match="`bits_per_dim` is of grey levels.*per binary_pixel"):
        zoo_model().bits_per_dim(IMAGES)


@pytest.mark.slow
def test_config_gives_the_same_model_also_in_a_fresh_process(tmp_path):
    model = new_model(likelihood="discretized_normal")
    again = VAE.from_config(model.get_config())
    assert again.get_config() == model.get_config() and model.get_config().items() >= {
        **ARGUMENTS, "likelihood": "discretized_normal"}.items()  # fmt: skip
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(IMAGES), model(IMAGES))
    assert again.tokenizer_hash() == model.tokenizer_hash() != new_model(seed=4).tokenizer_hash()
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    loaded = call_in_fresh_process(model, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(loaded, model(IMAGES), rtol=1e-5, atol=1e-6)


def test_a_zoo_model_goes_through_fit_files_and_export(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = zoo_model(likelihood="discretized_normal")
    history, nothing = model.fit(IMAGES, {"epochs": 1, "verbose": 0})
    assert nothing is None and len(history.history["kl"]) == 1
    model.save(tmp_path / "saved")
    loaded = vqzoo.load(tmp_path / "saved")
    np.testing.assert_array_equal(loaded.encode(IMAGES)[0], model.encode(IMAGES)[0])
    np.testing.assert_array_equal(loaded.sample(3, seed=1), model.sample(3, seed=1))
    signatures = tf.saved_model.load(model.export(tmp_path / "served")).signatures
    vectors = signatures["encode"](images=tf.constant(IMAGES))["vectors_0"]
    np.testing.assert_allclose(vectors, model.encode(IMAGES)[0], rtol=1e-4, atol=1e-5)
    served = signatures["decode"](vectors_0=vectors)["images"].numpy().astype(int)
    assert np.abs(served - model.reconstruct(IMAGES)).max() <= 1  # sums in another order
    rows = {"seed": tf.constant([4, 5], tf.int64), "temperature": tf.constant([1.0, 0.5])}
    drawn = signatures["sample"](**rows)["images"].numpy().astype(int)
    expected = [model.sample(1, seed=4)[0], model.sample(1, seed=5, temperature=0.5)[0]]
    assert np.abs(drawn - np.stack(expected)).max() <= 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="vectors_0"):
        signatures["decode"](vectors_0=vectors * np.nan)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.encode(IMAGES[:, :4]), r"`images` must be uint8 \(batch, 8, 12, 1\)"),
        (lambda m: m.decode([np.zeros((2, 3), int)]), "`codes` must hold finite floats"),
        (lambda m: m.decode([np.zeros((2, 4))]), r"`codes` must hold arrays of .*\(batch, 3\)"),
        (lambda m: new_model(likelihood="normal"), "`likelihood` must be one of"),
        (lambda m: new_model(image_shape=(7, 8, 1)), "`image_shape` must be"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"{message}.* Received"):
        call(zoo_model())
