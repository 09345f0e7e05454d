import keras
import numpy as np
import pytest

from tests.fresh_process import call_in_fresh_process
from vqzoo.networks import Decoder

SIZES = {"filters": 8, "residual_filters": 4, "num_residual_blocks": 2}
VECTORS = np.random.default_rng(0).normal(size=(2, 3, 5, 6)).astype("float32")


@pytest.mark.parametrize("height, width, channels", [(7, 7, 1), (2, 5, 3), (1, 1, 1)])
def test_four_by_four_pixels_for_one_vector(height, width, channels):
    output = Decoder(channels, 6, **SIZES)(np.zeros((2, height, width, 6), "float32"))
    assert output.shape == (2, 4 * height, 4 * width, channels)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_output_is_float32_whatever_the_policy(policy):
    decoder = Decoder(1, 6, **SIZES)
    output = decoder(VECTORS)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    hidden = decoder.get_layer("half").compute_dtype
    assert hidden == policy.removeprefix("mixed_"), "the rest is in reduced precision"
    half = keras.ops.cast(keras.ops.cast(output, hidden), "float32")
    assert not np.array_equal(half, output), "the last layer computes no more digits than the rest"


def test_output_is_not_bounded():
    decoder = Decoder(1, 6, **SIZES)
    last = decoder.get_layer("full")
    last.bias.assign([3.0])  # a mean may lie outside -1..1; only `decode` clips
    assert np.max(decoder(VECTORS)) > 1


def test_config_gives_the_same_network():
    decoder = Decoder(3, 6, **SIZES, name="hand")
    again = Decoder.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config() == {
        "image_channels": 3,
        "embedding_dim": 6,
        **SIZES,
        "batch_norm": False,
        "stride": 4,
        "name": "hand",
    }
    again.set_weights(decoder.get_weights())
    np.testing.assert_array_equal(again(VECTORS), decoder(VECTORS))


@pytest.mark.slow
def test_a_saved_decoder_is_the_same_in_a_fresh_process(tmp_path):
    decoder = Decoder(3, 6, **SIZES)
    loaded = call_in_fresh_process(decoder, VECTORS, "vqzoo.networks", tmp_path)
    np.testing.assert_allclose(loaded, decoder(VECTORS), rtol=1e-6, atol=1e-6)


def test_batch_normalisation_is_in_every_block_and_survives_saving(tmp_path):
    network = Decoder(3, 6, **SIZES, batch_norm=True)
    names = [weight.path for weight in network.weights if "moving_mean" in weight.path]
    assert len(names) == 2 * SIZES["num_residual_blocks"] + 1
    before, inputs = network(0 * VECTORS), VECTORS
    for _ in range(50):
        network(inputs, training=True)
    assert np.abs(network(0 * inputs) - before).max() > 0.01, "its statistics have moved"
    path = tmp_path / "network.keras"
    network.save(path)
    again = keras.saving.load_model(path)
    np.testing.assert_allclose(again(inputs), network(inputs), rtol=1e-6, atol=1e-6)
