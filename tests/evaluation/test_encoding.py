import numpy as np
import pytest

from tests.evaluation.fakes import BlockMeans
from tests.likelihoods.normal_reference import slow_log_mass
from vqzoo.data import ArraySource
from vqzoo.evaluation import encoding

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 1)).astype("uint8")


def test_pass_equals_one_image_at_a_time(monkeypatch):
    monkeypatch.setattr(encoding, "images_at_once", lambda source: 2)  # the last batch is smaller
    source, autoencoder = ArraySource(IMAGES, [3, 1, 4, 1, 5]), BlockMeans(scale=7.0)
    encoded = encoding.autoencode_source(autoencoder, source)
    assert len(encoded) == 5 and encoded.labels.tolist() == [3, 1, 4, 1, 5]
    for i, image in enumerate(IMAGES):
        codes = image[::2, ::2, 0] // 16
        np.testing.assert_array_equal(encoded.latents[0][i], codes)
        error, nats = 0.0, 0.0
        for y, x in np.ndindex(4, 6):
            mean = 16 * int(codes[y // 2, x // 2]) + 8
            error += ((mean - int(image[y, x, 0])) / 127.5) ** 2
            nats += slow_log_mass(int(image[y, x, 0]), mean, 7.0)
        assert encoded.squared_errors[i] == pytest.approx(error, rel=1e-5)
        assert encoded.log_likelihoods[i] == pytest.approx(nats, rel=1e-5)


def test_codes_alone_are_the_same_and_labels_may_be_missing():
    encoded = encoding.encode_source(BlockMeans(), ArraySource(IMAGES))
    np.testing.assert_array_equal(encoded.latents[0], IMAGES[:, ::2, ::2, 0] // 16)
    assert encoded.labels is None and encoded.squared_errors is None
