import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from tests.likelihoods.logistic_reference import slow_log_mass
from vqzoo.likelihoods import DiscretizedLogisticMixture


def random_case(components, channels, num_bins, shape=(7,), seed=0):
    """A likelihood, random integers `(*shape, channels)` and parameters `(*shape, P)`."""
    likelihood = DiscretizedLogisticMixture(components, channels, num_bins)
    rng = np.random.default_rng(seed)
    parameters = rng.normal(size=(*shape, likelihood.num_parameters)).astype("float32")
    return likelihood, rng.integers(0, num_bins, (*shape, channels)), parameters


def slow_log_prob(pixel, parameters, components, num_bins):
    """The definition, one component and one channel at a time, in float64."""
    channels, half = len(pixel), (num_bins - 1) / 2
    logits, rest = parameters[:components], parameters[components:].reshape(components, -1)
    x = pixel / half - 1
    total = 0.0
    for weight, row in zip(np.exp(logits) / np.exp(logits).sum(), rest, strict=True):
        means, log_scales = row[:channels], row[channels : 2 * channels]
        coefficients = iter(np.tanh(row[2 * channels :]))  # G of R; B of R, B of G
        log_joint = 0.0
        for channel in range(channels):
            mean = means[channel] + sum(next(coefficients) * x[before] for before in range(channel))
            scale = np.exp(max(log_scales[channel], -7.0)) * half
            log_joint += slow_log_mass(int(pixel[channel]), (mean + 1) * half, scale, num_bins)
        total += weight * np.exp(log_joint)
    return np.log(total)


@pytest.mark.parametrize("channels, per_component", [(1, 3), (2, 6), (3, 10)])
def test_number_of_parameters(channels, per_component):
    assert DiscretizedLogisticMixture(5, channels).num_parameters == 5 * per_component


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_equals_definition(channels):
    likelihood, pixels, parameters = random_case(4, channels, 256)
    found = ops.convert_to_numpy(likelihood.log_prob(pixels.astype("uint8"), parameters))
    expected = [
        slow_log_prob(pixel, row, 4, 256)
        for pixel, row in zip(pixels, parameters.astype("float64"), strict=True)
    ]
    assert found.dtype == "float32" and found.shape == (7,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_log_scales_are_raised_to_the_smallest():
    likelihood, pixels, parameters = random_case(1, 1, 256)
    floor, below = (np.stack([parameters[:, 0] * 0, parameters[:, 1], parameters[:, 1] * 0 + s], -1)
                    for s in (-7, -30))  # fmt: skip
    np.testing.assert_array_equal(
        likelihood.log_prob(pixels, floor), likelihood.log_prob(pixels, below)
    )
    assert np.isfinite(gradients(lambda p: likelihood.log_prob(pixels, p), below)[0]).all()


@pytest.mark.parametrize("num_bins, channels", [(6, 1), (5, 2), (4, 3)])
def test_masses_of_all_colours_sum_to_one(num_bins, channels):
    likelihood, _, parameters = random_case(3, channels, num_bins)
    colours = np.array(list(itertools.product(range(num_bins), repeat=channels)))[:, None]
    colours, repeated = (
        np.broadcast_to(x, (len(colours), 7, x.shape[-1])) for x in (colours, parameters[None])
    )
    masses = np.exp(likelihood.log_prob(colours, repeated))
    np.testing.assert_allclose(masses.sum(axis=0), 1, atol=1e-5)


def test_gradients_are_finite_for_extreme_parameters():
    likelihood, pixels, parameters = random_case(4, 3, 256, (200,))
    parameters = np.random.default_rng(1).choice(
        np.float32([-1e3, -20, -1, 0, 1, 20]), parameters.shape
    )
    log_prob = ops.convert_to_numpy(likelihood.log_prob(pixels, parameters))
    assert np.isfinite(log_prob).all() and (log_prob <= 0).all()
    assert np.isfinite(gradients(lambda p: likelihood.log_prob(pixels, p), parameters)[0]).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_pixel_mixture_of_tfp(channels):
    tfp = pytest.importorskip("tensorflow_probability")
    likelihood, images, parameters = random_case(4, channels, 256, (2, 3, 5))
    named = likelihood.unpack(parameters)
    theirs = tfp.distributions.PixelCNN(
        (3, 5, channels), num_resnet=1, num_hierarchies=1, num_filters=2, num_logistic_mix=4
    )
    answer = [named["logits"], named["means"], ops.exp(named["log_scales"])]
    # Only its network's numbers are replaced: TFP couples the channels and mixes by itself. Its
    # network has softplus scales and untamed coefficients where ours has exp and tanh.
    theirs.network = lambda inputs, training: answer + [named["coefficients"]] * (channels > 1)
    ours = np.sum(likelihood.log_prob(images, parameters), axis=(1, 2))
    np.testing.assert_allclose(ours, theirs.log_prob(images.astype("float32")), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_frequencies_of_draws_are_the_masses(channels):
    likelihood, _, parameters = random_case(3, channels, 4, (1,), seed=5)
    count = 40000
    drawn = likelihood.sample(np.repeat(parameters, count, axis=0), seed=3)
    drawn = ops.convert_to_numpy(drawn)
    assert drawn.dtype == "int32" and drawn.shape == (count, channels)
    places = np.ravel_multi_index(tuple(drawn.T), (4,) * channels)
    found = np.bincount(places, minlength=4**channels) / count
    colours = np.array(list(itertools.product(range(4), repeat=channels)))
    masses = np.exp(likelihood.log_prob(colours, np.repeat(parameters, len(colours), axis=0)))
    # 64 binomial counts: none is expected beyond 4.5 standard errors; at least one draw's size
    error = np.sqrt(masses * (1 - masses) / count)
    np.testing.assert_array_less(np.abs(found - masses), 4.5 * error + 1 / count)
    assert masses.max() < 0.8  # else there would be nothing to see


def test_draw_chooses_the_component_then_the_channels():
    likelihood, _, parameters = random_case(2, 3, 256, (1,))
    parameters[:, :2] = np.log([0.25, 0.75])
    uniform = np.full((2, 4), 0.5, "float32")
    uniform[:, 0] = 0.24, 0.26  # either side of the first component's share
    drawn = ops.convert_to_numpy(likelihood.draw(np.repeat(parameters, 2, axis=0), uniform))
    named = {name: ops.convert_to_numpy(x)[0] for name, x in likelihood.unpack(parameters).items()}
    for component in range(2):
        c0, c1, c2 = named["coefficients"][component]
        red, green, blue = named["means"][component]
        # at uniform 0.5 a logistic is at its mean, rounded to the grey levels
        x = np.clip(np.round((red + 1) * 127.5), 0, 255) / 127.5 - 1
        y = np.clip(np.round((green + c0 * x + 1) * 127.5), 0, 255) / 127.5 - 1
        z = np.clip(np.round((blue + c1 * x + c2 * y + 1) * 127.5), 0, 255) / 127.5 - 1
        np.testing.assert_allclose(drawn[component] / 127.5 - 1, [x, y, z], atol=1e-5)


def test_a_draw_depends_on_its_own_noise_alone():
    likelihood, _, parameters = random_case(3, 3, 256, (5,))
    uniform = np.random.default_rng(2).uniform(size=(5, likelihood.num_uniforms)).astype("float32")
    together = ops.convert_to_numpy(likelihood.draw(parameters, uniform))
    for index in range(5):
        alone = likelihood.draw(parameters[index : index + 1], uniform[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])
    ends = np.stack([np.zeros(4), np.ones(4)]).astype("float32")  # outside (0, 1), still pixels
    drawn = ops.convert_to_numpy(likelihood.draw(np.repeat(parameters[:1], 2, axis=0), ends))
    np.testing.assert_array_equal(drawn, [[0] * 3, [255] * 3])


def test_distribution_agrees():
    tfp = pytest.importorskip("tensorflow_probability")
    likelihood, images, parameters = random_case(2, 3, 16, (2, 3))
    distribution = likelihood.distribution(parameters)
    assert distribution.batch_shape == (2, 3) and distribution.event_shape == (3,)
    log_probs = ops.convert_to_numpy(likelihood.log_prob(images, parameters))
    np.testing.assert_array_equal(distribution.log_prob(images.astype("float32")), log_probs)
    independent = tfp.distributions.Independent(distribution, 2)
    found = independent.log_prob(images[None].astype("float32"))  # leading axes are broadcast
    np.testing.assert_allclose(found, [log_probs.sum()], rtol=1e-6)
    drawn = distribution.sample(4000, seed=1).numpy()
    ours = likelihood.sample(np.repeat(parameters[None], 4000, axis=0), seed=3)
    # both are means of 4000 draws of standard deviation 7.5 at most: 5 standard errors of each
    np.testing.assert_allclose(
        drawn.mean(axis=0), np.mean(ours, axis=0), atol=2 * 5 * 7.5 / 4000**0.5
    )


def test_config_round_trip():
    likelihood = DiscretizedLogisticMixture(4, 1, 16)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(likelihood))
    assert isinstance(again, DiscretizedLogisticMixture)
    assert again.get_config() == {"num_components": 4, "channels": 1, "num_bins": 16}


def test_wrong_arguments_are_errors():
    with pytest.raises(ValueError, match="`num_components`"):
        DiscretizedLogisticMixture(0)
    with pytest.raises(ValueError, match="`channels`"):
        DiscretizedLogisticMixture(channels=2.5)
    likelihood, images, parameters = random_case(2, 3, 256)
    with pytest.raises(ValueError, match="`parameters` must end in an axis of 20"):
        likelihood.log_prob(images, parameters[:, :-1])
    for wrong in (images[:, :2], images[:, 0]):
        with pytest.raises(ValueError, match="`images` must end in an axis of 3"):
            likelihood.log_prob(wrong, parameters)
    with pytest.raises(ValueError, match="`uniform` must end in an axis of 4"):
        likelihood.draw(parameters, np.full((7, 3), 0.5, "float32"))
    with pytest.raises(ValueError, match="`images` and `parameters` must broadcast"):
        likelihood.log_prob(images[:5], parameters)
