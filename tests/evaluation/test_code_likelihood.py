import math

import numpy as np
import pytest

from tests.evaluation.fakes import TablePrior
from vqzoo.evaluation.code_likelihood import code_scores
from vqzoo.evaluation.encoding import EncodedSource

UNEVEN = np.array([[[0.5, 0.25, 0.25, 0.0]] * 6, [[0.125, 0.125, 0.25, 0.5]] * 6])
CODES = np.array([[0, 0, 1, 2, 0, 0], [3, 3, 2, 0, 1, 3]], "int32").reshape(2, 2, 3)


def test_bits_of_a_known_prior():
    encoded = EncodedSource([CODES], np.array([0, 1]))
    log_probs, scores = code_scores(TablePrior(UNEVEN, (2, 3)), encoded, [4])
    bits = np.array([4 * 1 + 2 * 2, 3 * 1 + 1 * 2 + 2 * 3])
    np.testing.assert_allclose(-log_probs / math.log(2), bits, rtol=1e-6)
    assert scores["bits_per_image"] == pytest.approx(bits.mean())
    assert scores["bits_per_code"] == pytest.approx(bits.mean() / 6)
    assert scores["nats_per_code"] == pytest.approx(bits.mean() / 6 * math.log(2))
    assert scores["bits_per_code_without_labels"] == pytest.approx((bits.mean() + 1) / 6)
    assert "gain_over_best" not in scores


def test_bound_without_labels_holds():
    prior, encoded = TablePrior(UNEVEN + 1e-9, (2, 3)), EncodedSource([CODES], np.array([0, 1]))
    _, with_labels = code_scores(prior, encoded, [4])
    _, averaged = code_scores(prior, EncodedSource([CODES], None), [4])
    assert averaged["bits_per_code"] <= with_labels["bits_per_code_without_labels"] + 1e-6
    assert "bits_per_code_without_labels" not in averaged


def test_gain_is_over_the_best_simple_model():
    train = np.random.default_rng(0).integers(0, 4, (500, 2, 3))
    encoded = EncodedSource([CODES], np.array([0, 1]))
    _, scores = code_scores(
        TablePrior(UNEVEN, (2, 3)), encoded, [4], EncodedSource([train], None)
    )
    simple = {k: scores[f"{k}_bits_per_code"] for k in ("uniform", "independent", "markov")}
    assert simple["uniform"] == pytest.approx(2)
    assert scores["best_simple_model"] == min(simple, key=simple.get)
    best = min(simple.values())
    assert scores["gain_over_best"] == pytest.approx(1 - scores["bits_per_code"] / best)
    rival = scores["markov_by_position_bits_per_code"]
    gain = 1 - scores["bits_per_code"] / rival
    assert scores["gain_over_markov_by_position"] == pytest.approx(gain)


class TwoLevels:
    """`UNEVEN` twice as a prior of two levels, the second half as likely where codes agree."""

    num_classes = 2

    def level_log_probs(self, latents, labels):
        first = TablePrior(UNEVEN, (2, 3)).log_prob(latents[:1], labels).astype("float64")
        second = TablePrior(UNEVEN, (2, 3)).log_prob(latents[1:], labels).astype("float64")
        return np.stack([first, second - np.log(2) * (latents[0] == latents[1]).all((1, 2))])


def test_levels_are_scored_each_given_the_coarser_ones():
    other = np.array([[0, 0, 1, 2, 0, 0], [3, 3, 3, 3, 3, 3]], "int32").reshape(2, 2, 3)
    train = np.random.default_rng(0).integers(0, 4, (500, 2, 3))
    encoded = EncodedSource([CODES, other], np.array([0, 1]))
    counted = EncodedSource([train, train[::-1]], None)
    log_probs, scores = code_scores(TwoLevels(), encoded, [4, 4], counted)
    bits = np.array([[8, 11], [8 + 1, 6]])  # levels, images
    np.testing.assert_allclose(-log_probs / math.log(2), bits.sum(axis=0), rtol=1e-6)
    for level, own in enumerate(bits.mean(axis=1)):
        found = scores[f"codes_{level}"]
        assert found["bits_per_image"] == pytest.approx(own)
        assert found["nats_per_code"] == pytest.approx(own / 6 * math.log(2))
        rival = found[f"{found['best_simple_model']}_bits_per_code"]
        assert found["gain_over_best"] == pytest.approx(1 - own / 6 / rival)
        assert not [key for key in found if "without_labels" in key]
    assert scores["bits_per_code"] == pytest.approx(bits.sum(axis=0).mean() / 12)
    for name in ("uniform", "markov"):
        both = [scores[f"codes_{level}"][f"{name}_bits_per_code"] for level in (0, 1)]
        assert scores[f"{name}_bits_per_code"] == pytest.approx(np.mean(both))
