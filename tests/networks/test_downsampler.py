import numpy as np
import pytest

from tests.fresh_process import call_in_fresh_process
from vqzoo.networks import Downsampler

SIZES = {"filters": 8, "residual_filters": 4, "num_residual_blocks": 1}
FEATURES = np.random.default_rng(0).normal(size=(2, 16, 24, 5)).astype("float32")


@pytest.mark.parametrize("stride, widths", [(2, [4]), (4, [4, 8]), (8, [4, 8, 8])])
def test_halves_as_often_as_the_stride_says(stride, widths):
    network = Downsampler(5, stride, **SIZES)
    output = network(FEATURES)
    assert output.shape == (2, 16 // stride, 24 // stride, 8)
    assert np.min(output) == 0 < np.max(output)  # it ends in ReLU
    strided = [layer for layer in network.layers if getattr(layer, "strides", None) == (2, 2)]
    assert [layer.filters for layer in strided] == widths
    assert all(layer.kernel_size == (4, 4) for layer in strided)


def test_a_stride_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="`stride` must be 2, 4 or 8. Received: 6"):
        Downsampler(5, 6, **SIZES)


@pytest.mark.slow
def test_a_saved_network_is_the_same_in_a_fresh_process(tmp_path):
    network = Downsampler(5, 4, **SIZES, name="eyes")
    assert Downsampler.from_config(network.get_config()).get_config() == network.get_config()
    loaded = call_in_fresh_process(network, FEATURES, "vqzoo.networks", tmp_path)
    np.testing.assert_allclose(loaded, network(FEATURES), rtol=1e-6, atol=1e-6)
