"""UniformPrior: closed forms, several levels, the methods of every prior."""

import keras
import numpy as np
import pytest

from vqzoo.priors import UniformPrior
from vqzoo.sampling import SamplingOptions


def test_log_prob_is_that_of_a_fair_die():
    codes = [np.zeros((3, 2, 2), "int32"), np.zeros((3, 4, 5), "int32")]
    nats = UniformPrior([(2, 2), (4, 5)], [8, 16]).log_prob(codes)
    np.testing.assert_allclose(nats, [-(4 * 3 + 20 * 4) * np.log(2)] * 3, rtol=1e-6)


def test_samples_are_uniform_and_belong_to_their_index():
    prior = UniformPrior([(4, 5), (6, 6)], [8, 3])
    codes = prior.sample(200, seed=1)
    assert [level.shape for level in codes] == [(200, 4, 5), (200, 6, 6)]
    assert all(level.dtype == np.int32 for level in codes)
    counts = np.bincount(codes[0].ravel(), minlength=8)
    assert counts.size == 8 and ((counts - 500) ** 2 / 500).sum() < 24.3  # one in a thousand
    for level, alone in zip(codes, prior.sample(5, seed=1, first_index=60, batch_size=2)):
        np.testing.assert_array_equal(level[60:65], alone)


def test_known_codes_stay_and_filters_take_part():
    prior = UniformPrior([(2, 3)], [8])
    codes, mask = np.full((4, 2, 3), 7), np.zeros((4, 2, 3), bool)
    mask[:, 1] = True
    (drawn,) = prior.sample(4, known=([codes], [mask]), options=SamplingOptions(top_k=2))
    assert (drawn[:, 0] == 7).all() and (drawn[:, 1] < 2).all()


def test_saving_and_configuration(tmp_path):
    prior = UniformPrior([(2, 3)], [8], num_classes=4)
    assert UniformPrior.from_config(prior.get_config()).get_config() == prior.get_config()
    prior.save(tmp_path / "prior.keras")
    loaded = keras.models.load_model(tmp_path / "prior.keras")
    np.testing.assert_array_equal(loaded.sample(3, labels=1)[0], prior.sample(3)[0])
    assert not prior.weights and not prior.trainable_stage


def test_errors():
    with pytest.raises(ValueError, match="`codebook_sizes`"):
        UniformPrior([(2, 3)], [8, 8])
    with pytest.raises(ValueError, match="`labels`"):
        UniformPrior([(2, 3)], [8]).sample(1, labels=0)
