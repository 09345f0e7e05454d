import itertools
import math

import keras
import numpy as np
import pytest

import vqzoo
from tests.fresh_process import call_in_fresh_process
from tests.models.tiny_pixels import ARGUMENTS, IMAGES, new_model, zoo_model
from vqzoo.models.pixel_model import PixelModel


FOUR = IMAGES[:4]


@pytest.fixture(scope="module")
def model():
    """One for all tests that sample: four images at a time are compiled once."""
    return zoo_model()


def test_logged_loss_is_the_negative_log_likelihood(model):
    autoencoder = new_model()
    autoencoder.compile("adam")
    logs = autoencoder.test_on_batch(IMAGES, return_dict=True)
    by_pixel = autoencoder.likelihood.log_prob(IMAGES, autoencoder(IMAGES))
    nats = -np.asarray(by_pixel, "float64").sum(axis=(1, 2)).mean()
    assert set(logs) == {"loss", "bits_per_dim"}
    np.testing.assert_allclose(logs["loss"], nats, rtol=1e-5)
    np.testing.assert_allclose(logs["bits_per_dim"], nats / (72 * math.log(2)), rtol=1e-5)


def test_probabilities_of_all_images_sum_to_one():
    small = zoo_model(image_shape=[1, 2, 1], num_downsamplings=0)
    images = np.array(list(itertools.product(range(256), repeat=2)), "uint8").reshape(-1, 1, 2, 1)
    nats = small.elbo(images, batch_size=8192).astype("float64")
    assert np.exp(nats).sum() == pytest.approx(1, abs=1e-4)  # float32: 1e-6 of each log p of -11
    bits, kind = small.bits_per_dim(images[:5])
    assert kind == "exact"
    np.testing.assert_allclose(bits, -nats[:5] / (2 * math.log(2)), rtol=1e-5)
    # and samples follow them: 16 x 16 bins of grey levels, each within 5 standard errors
    drawn = small.sample(2048, seed=3, batch_size=2048).reshape(-1, 2) // 16
    found = np.histogram2d(*drawn.T, bins=np.arange(17))[0] / 2048
    expected = np.exp(nats).reshape(16, 16, 16, 16).sum(axis=(1, 3))
    error = np.sqrt(expected * (1 - expected) / 2048)
    np.testing.assert_array_less(np.abs(found - expected), 5 * error + 1 / 2048)


def test_plain_compile_and_fit_learn():
    colours = np.where(IMAGES[:, :1, :1] < 128, 20, 230).astype("uint8")
    autoencoder = PixelModel(**{**ARGUMENTS, "dropout": 0.1})
    autoencoder.compile(keras.optimizers.Adam(1e-2))
    images = np.tile(colours, (10, 4, 6, 1))
    history = autoencoder.fit(images, epochs=6, batch_size=10, verbose=0).history
    assert set(history) == {"loss", "bits_per_dim"}
    assert history["bits_per_dim"][-1] < 0.9 * history["bits_per_dim"][0]


def test_samples_are_a_function_of_seed_and_index(model):
    images = model.sample(4, seed=3)
    assert images.dtype == "uint8" and images.shape == (4, 4, 6, 3)
    np.testing.assert_array_equal(images[:3], model.sample(3, seed=3))
    np.testing.assert_array_equal(images, model.sample(4, seed=3, batch_size=2))
    assert len(np.unique(images, axis=0)) == 4
    assert (model.sample(4, seed=4) != images).any(axis=(1, 2, 3)).all()


def test_the_naive_loop_draws_the_same_pixels(model):
    images = model.sample(4, seed=5)
    np.testing.assert_array_equal(model.sample(4, seed=5, incremental=False), images)


def test_completion_keeps_what_is_known_and_draws_the_rest(model):
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:] = True
    completed = model.complete(FOUR, mask, seed=2)
    np.testing.assert_array_equal(completed[:, ~mask], FOUR[:, ~mask])
    assert (completed != FOUR)[:, mask].any(axis=(1, 2)).all()
    # a sample's own pixels, drawn anew by the same seed, are those that it has
    drawn = model.sample(4, seed=2)
    np.testing.assert_array_equal(model.complete(drawn, mask, seed=2), drawn)
    everything = model.complete(FOUR, np.ones((4, 4, 6), bool), seed=2)
    np.testing.assert_array_equal(everything, drawn)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_the_likelihood_keeps_float32(policy):
    reduced = zoo_model()
    parameters = reduced.autoencoder(IMAGES)
    assert keras.backend.standardize_dtype(parameters.dtype) == "float32"
    assert np.isfinite(reduced.elbo(IMAGES)).all()


@pytest.mark.slow
def test_config_gives_the_same_model_also_in_a_fresh_process(tmp_path):
    autoencoder = new_model()
    again = PixelModel.from_config(autoencoder.get_config())
    assert again.get_config() == autoencoder.get_config()
    assert autoencoder.get_config().items() >= ARGUMENTS.items()
    autoencoder.compile("adam")
    autoencoder.fit(IMAGES, verbose=0)
    loaded = call_in_fresh_process(autoencoder, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(loaded, autoencoder(IMAGES), rtol=1e-5, atol=1e-6)


def test_a_zoo_model_goes_through_fit_files_and_export(tmp_path):
    tf = pytest.importorskip("tensorflow")
    trained = zoo_model()
    history, nothing = trained.fit(IMAGES, {"epochs": 1, "verbose": 0})
    assert nothing is None and len(history.history["bits_per_dim"]) == 1
    trained.save(tmp_path / "saved")
    loaded = vqzoo.load(tmp_path / "saved")
    np.testing.assert_array_equal(loaded.elbo(IMAGES), trained.elbo(IMAGES))
    signatures = tf.saved_model.load(trained.export(tmp_path / "served")).signatures
    assert set(signatures) == {"sample"}
    drawn = signatures["sample"](seed=tf.constant([4, 5], tf.int64))["images"]
    naive = {"incremental": False}  # the same pixels, and nothing to compile
    expected = [loaded.sample(1, seed=seed, **naive)[0] for seed in (4, 5)]
    np.testing.assert_array_equal(drawn, expected)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`seed` must be in"):
        signatures["sample"](seed=tf.constant([-1], tf.int64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.encode(IMAGES), "`encode` needs latents, and this model has none"),
        (lambda m: m.decode([]), "`decode` needs latents, and this model has none"),
        (lambda m: m.reconstruct(IMAGES), "`reconstruct` needs latents, and this model has none"),
        (lambda m: m.sample(2, labels="bag"), "`labels` must be None"),
        (lambda m: m.sample(2, temperature=0.5), "`temperature` must be 1.0: it is for codes"),
        (lambda m: m.sample(2, top_k=3), "`top_k` must be None: it is for codes"),
        (lambda m: m.sample(2, top_p=0.3), "`top_p` must be None: it is for codes"),
        (lambda m: m.sample(2, critic="classifier_mnist"), "`critic` must be None"),
        (lambda m: m.complete(IMAGES, np.ones((2, 3), bool)), r"`mask` must be bool \(10, 4, 6\)"),
        (lambda m: m.elbo(IMAGES[:, :2]), r"`images` must be uint8 \(batch, 4, 6, 3\)"),
        (lambda m: m.elbo(IMAGES, labels=1), "`labels` must be None"),
        (lambda m: new_model(num_components=0), "`num_components` must be an int"),
        (lambda m: new_model(image_shape=(4, 6)), "`image_shape` must be"),
    ],
)
def test_wrong_arguments_are_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
