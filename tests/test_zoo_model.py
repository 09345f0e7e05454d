import math

import keras
import numpy as np
import pytest

import vqzoo
from vqzoo.classifier import Classifier
from vqzoo.in_memory import training_codes
from vqzoo.sampling.rejection import candidate_labels


def test_codes_and_images_have_their_types_and_shapes(tiny_model, tiny_images):
    codes = tiny_model.encode(tiny_images)
    assert [(level.dtype, level.shape) for level in codes] == [("int32", (6, 2, 3))]
    images = tiny_model.decode(codes)
    assert images.dtype == np.uint8 and images.shape == tiny_images.shape


@pytest.mark.parametrize("batch_size", [1, 2, 4, 64])
def test_decoding_the_codes_is_reconstructing(tiny_model, tiny_images, batch_size):
    once = tiny_model.decode(tiny_model.encode(tiny_images, batch_size), batch_size)
    np.testing.assert_array_equal(once, tiny_model.reconstruct(tiny_images, batch_size))
    np.testing.assert_array_equal(once, tiny_model.reconstruct(tiny_images))
    assert len(np.unique(once)) > 1, "a constant image says nothing"


def test_other_sizes_that_the_strides_divide(tiny_model):
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 4, 1), dtype="uint8")
    assert tiny_model.encode(images)[0].shape == (2, 4, 1)
    assert tiny_model.reconstruct(images).shape == images.shape


def test_an_image_is_a_function_of_seed_place_and_label(tiny_model):
    labels = [0, "bag", 2, 1, "boot"]
    images = tiny_model.sample(5, labels, seed=3)
    assert images.dtype == np.uint8 and images.shape == (5, 8, 12, 1)
    np.testing.assert_array_equal(images, tiny_model.sample(5, labels, seed=3, batch_size=2))
    np.testing.assert_array_equal(images[:2], tiny_model.sample(2, labels[:2], seed=3))
    np.testing.assert_array_equal(images, tiny_model.sample(5, labels, seed=3, incremental=False))
    assert (images != tiny_model.sample(5, labels, seed=4)).any()


def test_labels_that_nobody_gives_come_from_the_seed(tiny_model):
    drawn = tiny_model.draw_labels(3000, seed=5)
    np.testing.assert_array_equal(drawn[:7], tiny_model.draw_labels(7, seed=5))
    counts = np.bincount(drawn, minlength=3)
    assert (abs(counts - 1000) < 5 * math.sqrt(3000 * 2 / 9)).all()  # five standard deviations
    images = tiny_model.sample(4, seed=5)
    np.testing.assert_array_equal(images, tiny_model.sample(4, drawn[:4], seed=5))
    np.testing.assert_array_equal(tiny_model.draw_labels(2, "bag"), [1, 1])


def seeing(image_shape):
    """A network that takes such images."""
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten()])


class BrightnessCritic(Classifier):
    """Sees class 0 in dark images, class 1 in bright ones, and class 2 in none."""

    def __init__(self, names=("boot", "bag", "coat")):
        super().__init__(seeing((8, 12, 1)), names, "toy")

    def probabilities(self, images, batch_size=256):
        bright = images.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright, np.zeros(len(bright))], axis=1)


def test_a_critic_keeps_the_best_of_each_class(tiny_model):
    labels = [0, 1, 0, 1, 1]
    kept = tiny_model.sample(5, labels, seed=3, critic=BrightnessCritic(), keep=0.25)
    drawn = candidate_labels(np.array(labels), 0.25)
    every = tiny_model.sample(len(drawn), drawn.tolist(), seed=3)
    brightness = every.mean(axis=(1, 2, 3))
    for label, sign, count in ((0, 1, 2), (1, -1, 3)):
        own = np.flatnonzero(drawn == label)
        best = np.sort(own[np.argsort(sign * brightness[own], kind="stable")[:count]])
        np.testing.assert_array_equal(kept[np.array(labels) == label], every[best])
    again = tiny_model.sample(5, labels, 3, critic=BrightnessCritic(), keep=0.25, batch_size=4)
    np.testing.assert_array_equal(kept, again)
    all_kept = tiny_model.sample(5, labels, seed=3, critic=BrightnessCritic(), keep=1)
    np.testing.assert_array_equal(all_kept, tiny_model.sample(5, labels, seed=3))


def test_a_critic_of_other_classes_is_refused(tiny_model):
    with pytest.raises(ValueError, match="`critic` must know the classes .*'boot'"):
        tiny_model.sample(2, critic=BrightnessCritic(["a", "b", "c"]))
    with pytest.raises(ValueError, match="`critic` must know the classes"):
        tiny_model.sample(2, critic="classifier_fashion_mnist")
    larger = Classifier(seeing((16, 12, 1)), tiny_model.class_names, "toy")
    with pytest.raises(ValueError, match=r"`critic` must see images of shape \(8, 12, 1\)"):
        tiny_model.sample(2, critic=larger)
    with pytest.raises(ValueError, match="`keep` needs a `critic`"):
        tiny_model.sample(2, keep=0.5)


@pytest.mark.parametrize("on_codes", [True, False])
def test_completion_keeps_known_pixels_and_codes(tiny_model, tiny_images, on_codes):
    mask = np.zeros((2, 3) if on_codes else (8, 12), bool)
    mask[-1, -1] = True  # one code, or one of its pixels
    completed = [tiny_model.complete(tiny_images, mask, "bag", seed) for seed in range(8)]
    pixels = np.kron(mask, np.ones((4, 4), bool)) if on_codes else mask
    for images in completed:
        np.testing.assert_array_equal(images[:, ~pixels], tiny_images[:, ~pixels])
    assert any((images != completed[0]).any() for images in completed), "nothing is drawn"


def test_completion_of_everything_is_sampling(tiny_model, tiny_images):
    completed = tiny_model.complete(tiny_images, np.ones((2, 3), bool), "coat", seed=2)
    np.testing.assert_array_equal(completed, tiny_model.sample(6, "coat", seed=2))
    nothing = tiny_model.complete(tiny_images, np.zeros((6, 8, 12), bool), seed=2)
    np.testing.assert_array_equal(nothing, tiny_images)


def slow_normal_nats(images, mean, scale):
    """log p of integer pixels under a normal rounded to 0..255, in float64, by erf."""
    cdf = np.vectorize(lambda z: 0.5 * (1 + math.erf(z / math.sqrt(2))))
    upper = np.where(images == 255, 1.0, cdf((images + 0.5 - mean) / scale))
    lower = np.where(images == 0, 0.0, cdf((images - 0.5 - mean) / scale))
    return np.log(upper - lower).sum(axis=(1, 2, 3))


def test_elbo_is_likelihood_plus_prior(tiny_yaml, tiny_images):
    model = vqzoo.create(tiny_yaml)
    model.autoencoder.likelihood_scale.assign(80.0)
    codes = model.encode(tiny_images)
    mean = (np.asarray(model.autoencoder.decoder_output(codes), "float64") + 1) * 127.5
    decoder = slow_normal_nats(tiny_images.astype("float64"), mean, 80.0)
    by_class = np.array([model.prior.log_prob(codes, label) for label in range(3)], "float64")
    np.testing.assert_allclose(model.elbo(tiny_images, "coat"), decoder + by_class[2], rtol=1e-5)
    averaged = np.log(np.exp(by_class).mean(axis=0))
    np.testing.assert_allclose(model.elbo(tiny_images), decoder + averaged, rtol=1e-5)
    each = model.elbo(tiny_images, [0, 1, 2, 2, 1, 0], batch_size=4)
    expected = decoder + by_class[[0, 1, 2, 2, 1, 0], range(6)]
    np.testing.assert_allclose(each, expected, rtol=1e-5)
    bits, kind = model.bits_per_dim(tiny_images, "coat")
    np.testing.assert_allclose(bits, -(decoder + by_class[2]) / math.log(2) / 96, rtol=1e-5)
    assert kind == "bound"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m.encode(x.astype("float32")), "`images`"),
        (lambda m, x: m.reconstruct(x[:, :6]), "`images`"),
        (lambda m, x: m.elbo(x[:, :4]), "`images`"),
        (lambda m, x: m.complete(x[:, :4], np.zeros((4, 12), bool)), "`images`"),
        (lambda m, x: m.complete(x, np.zeros((4, 12), bool)), "`mask`"),
        (lambda m, x: m.encode(x, batch_size=0), "`batch_size`"),
        (lambda m, x: m.decode(m.encode(x)[0]), "`codes`"),
        (lambda m, x: m.decode([np.full((1, 2, 3), 16)]), "`codes`"),
        (lambda m, x: m.decode([np.zeros((1, 2, 3))]), "`codes`"),
        (lambda m, x: m.sample(0), "`num_images`"),
        (lambda m, x: m.sample(2, "shoe"), "`labels`"),
        (lambda m, x: m.sample(2, 3), "`labels`"),
        (lambda m, x: m.sample(2, [0, 1, 2]), "`labels`"),
        (lambda m, x: m.sample(2, seed=-1), "`seed`"),
        (lambda m, x: m.sample(2, temperature=0), "`temperature`"),
        (lambda m, x: m.sample(2, top_k=0), "`top_k`"),
        (lambda m, x: m.sample(2, top_p=2), "`top_p`"),
    ],
)
def test_wrong_arguments_are_named(tiny_model, tiny_images, call, message):
    with pytest.raises(ValueError, match=f"{message} .*Received: "):
        call(tiny_model, tiny_images)


def test_a_model_without_classes_takes_no_labels(tiny_yaml):
    model = vqzoo.create(tiny_yaml, data={"class_names": []}, prior={"family": "UniformPrior"})
    assert model.sample(2).shape == (2, 8, 12, 1)
    with pytest.raises(ValueError, match="`labels` must be None"):
        model.sample(2, 1)


def test_fit_trains_both_stages_on_any_kind_of_data(tiny_yaml, tiny_images):
    labels = np.array([0, 1, 2, 0, 1, 2])

    class Batches:  # what can be iterated again and again
        def __iter__(self):
            return iter([(tiny_images[:4], labels[:4]), (tiny_images[4:], labels[4:])])

    model = vqzoo.create(tiny_yaml)
    codes = training_codes(model, Batches())
    np.testing.assert_array_equal(codes["codes_0"], model.encode(tiny_images)[0])
    np.testing.assert_array_equal(codes["labels"], labels)
    first, second = model.fit(
        (tiny_images, labels), {"epochs": 3, "verbose": 0}, {"epochs": 2, "verbose": 0}
    )
    assert len(first.history["loss"]) == 3 and len(second.history["bits_per_code"]) == 2
    with pytest.raises(ValueError, match="`dataset` must hold labels"):
        model.fit(tiny_images, {"verbose": 0}, {"verbose": 0})
