import keras
import numpy as np
import pytest

from tests.fresh_process import call_in_fresh_process
from vqzoo.networks import Encoder

SIZES = {"filters": 8, "residual_filters": 4, "num_residual_blocks": 2}


def all_grey_levels(channels):
    """uint8 images `(2, 16, 16, channels)` that hold every grey level in every channel."""
    rng = np.random.default_rng(0)
    levels = [rng.permutation(256) for _ in range(2 * channels)]
    return np.reshape(levels, (2, channels, 16, 16)).transpose(0, 2, 3, 1).astype("uint8")


@pytest.mark.parametrize("height, width, channels", [(28, 28, 1), (8, 20, 3), (4, 4, 1)])
def test_one_vector_for_four_by_four_pixels(height, width, channels):
    vectors = Encoder(channels, 5, **SIZES)(np.zeros((2, height, width, channels), "uint8"))
    assert vectors.shape == (2, height // 4, width // 4, 5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"], indirect=True)
def test_grey_levels_become_minus_one_to_one(policy):
    images = all_grey_levels(3)
    encoder = Encoder(3, 5, **SIZES)
    x = (images.astype("float64") / 127.5 - 1).astype("float32")
    for layer in encoder.layers[2:]:  # after the input and the rescaling
        x = layer(x)
    x, vectors = (keras.ops.cast(output, "float32") for output in (x, encoder(images)))
    # To rounding: 8 bits of a bfloat16, on the scale of the largest vector.
    scale = np.abs(x).max() * (1e-5 if policy == "float32" else 0.02)
    np.testing.assert_allclose(vectors, x, atol=scale, rtol=0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_no_two_grey_levels_become_one_in_reduced_precision(policy):
    rescale = Encoder(1, 5, **SIZES).get_layer("rescale")
    scaled = keras.ops.cast(rescale(np.arange(256, dtype="uint8")), policy.removeprefix("mixed_"))
    assert len(np.unique(keras.ops.cast(scaled, "float32"))) == 256


def test_weights_are_the_convolutions_alone():
    encoder = Encoder(3, 5, **SIZES)
    pair = 3 * 3 * 8 * 4 + 4 + 4 * 8 + 8
    half, quarter, mix, project = 16 * 3 * 4 + 4, 16 * 4 * 8 + 8, 9 * 8 * 8 + 8, 8 * 5 + 5
    assert encoder.count_params() == half + quarter + mix + 2 * pair + project


def test_config_gives_the_same_network():
    encoder = Encoder(3, 5, **SIZES, name="eyes")
    again = Encoder.from_config(encoder.get_config())
    assert again.get_config() == encoder.get_config() == {
        "image_channels": 3,
        "embedding_dim": 5,
        **SIZES,
        "batch_norm": False,
        "name": "eyes",
    }
    again.set_weights(encoder.get_weights())
    images = all_grey_levels(3)
    np.testing.assert_array_equal(again(images), encoder(images))


@pytest.mark.slow
def test_a_saved_encoder_is_the_same_in_a_fresh_process(tmp_path):
    encoder, images = Encoder(3, 5, **SIZES), all_grey_levels(3)
    loaded = call_in_fresh_process(encoder, images, "vqzoo.networks", tmp_path)
    np.testing.assert_allclose(loaded, encoder(images), rtol=1e-6, atol=1e-6)


def test_batch_normalisation_is_in_every_block_and_survives_saving(tmp_path):
    network = Encoder(3, 5, **SIZES, batch_norm=True)
    names = [weight.path for weight in network.weights if "moving_mean" in weight.path]
    assert len(names) == 2 * SIZES["num_residual_blocks"] + 1
    before, inputs = network(0 * all_grey_levels(3)), all_grey_levels(3)
    for _ in range(50):
        network(inputs, training=True)
    assert np.abs(network(0 * inputs) - before).max() > 0.01, "its statistics have moved"
    path = tmp_path / "network.keras"
    network.save(path)
    again = keras.saving.load_model(path)
    np.testing.assert_allclose(again(inputs), network(inputs), rtol=1e-6, atol=1e-6)
