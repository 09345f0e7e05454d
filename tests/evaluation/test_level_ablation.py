"""Two levels whose decoder is a sum: what a level holds is known in closed form."""

import math

import numpy as np
import pytest

from tests.evaluation.fakes import Compiled
from vqzoo.data import ArraySource
from vqzoo.evaluation import level_ablation
from vqzoo.evaluation.level_ablation import level_scores


class TensAndUnits:
    """Grey level 64 a + 4 b: a is the code of the image, b that of each pixel. Of 4 x 4 pixels."""

    codebook_sizes = [4, 16]

    def __init__(self):
        self.decoder_model = Compiled(self.decode)

    def decode(self, codes):
        return (codes[0] * 64.0 + codes[1] * 4.0)[..., None] / 127.5 - 1

    def to_pixels(self, output):
        return output


def source_and_codes(count, seed=0, noise=0):
    generator = np.random.default_rng(seed)
    codes = [generator.integers(4, size=(count, 1, 1)), generator.integers(16, size=(count, 4, 4))]
    images = (codes[0] * 64 + codes[1] * 4 + noise)[..., None].astype("uint8")
    return ArraySource(images), codes


def mse(first, second):
    """On the scale -1..1, of grey levels."""
    return np.mean(((first - second) / 127.5) ** 2)


def flat(scores):
    return [value for level in scores.values() for value in level.values()]


def test_two_images_lend_each_other_their_codes():
    source, (top, bottom) = source_and_codes(2, noise=3)
    scores = level_scores(TensAndUnits(), source, [top, bottom])
    own = mse(3, 0)
    expected = {"codes_0": mse(64 * top + 3, 64 * top[::-1])}
    expected["codes_1"] = mse(4 * bottom + 3, 4 * bottom[::-1])
    for name, value in expected.items():
        assert scores[name]["mse_with_other"] == pytest.approx(value)
        assert scores[name]["times_mse"] == pytest.approx(value / own)
    assert scores["codes_1"]["mse_up_to"] == pytest.approx(own), "nothing is left out"


def test_a_level_that_is_left_out_is_its_most_common_code():
    source, (top, bottom) = source_and_codes(30)
    common = np.argmax([np.sum(bottom == code) for code in range(16)])
    scores = level_scores(TensAndUnits(), source, [top, bottom])
    assert scores["codes_0"]["mse_up_to"] == pytest.approx(mse(4 * bottom, 4 * common))
    assert scores["codes_0"]["times_mse"] == math.inf, "there is no error otherwise"


@pytest.mark.parametrize("seed", range(5))
def test_no_image_keeps_its_own_codes(seed):
    bottom = np.repeat(np.arange(16), 16).reshape(16, 4, 4)  # of each image a shade of its own
    top = np.zeros((16, 1, 1), int)
    seen = []

    class Recorded(TensAndUnits):
        def decode(self, codes):
            seen.append(codes[1][:, 0, 0])
            return super().decode(codes)

    source = ArraySource((4 * bottom)[..., None].astype("uint8"))
    level_scores(Recorded(), source, [top, bottom], seed)
    lent = [shades for shades in seen if sorted(shades) == list(range(16))]
    other = [shades for shades in lent if (shades != np.arange(16)).all()]
    assert len(lent) == 3 and len(other) == 1, "own codes, those of the top lent, those lent"


def test_images_come_in_batches_and_evenly_spaced(monkeypatch):
    source, codes = source_and_codes(30, noise=2)
    whole = flat(level_scores(TensAndUnits(), source, codes))
    monkeypatch.setattr(level_ablation, "images_at_once", lambda source: 7)
    assert flat(level_scores(TensAndUnits(), source, codes)) == pytest.approx(whole, rel=1e-9)
    monkeypatch.setattr(level_ablation, "MOST", 10)
    third, every = [level[::3] for level in codes], np.arange(0, 30, 3)
    expected = flat(level_scores(TensAndUnits(), ArraySource(source.images[every]), third))
    assert flat(level_scores(TensAndUnits(), source, codes)) == pytest.approx(expected, rel=1e-9)
