import math

import numpy as np
import pytest

from vqzoo.evaluation.encoding import EncodedSource, squared_errors
from vqzoo.evaluation.reconstruction import reconstruction_scores


def test_constant_error_of_known_size():
    images = np.full((3, 2, 2, 1), 51, "uint8")
    output = np.full((3, 2, 2, 1), 51 / 127.5 - 1 + 0.1, "float32")
    encoded = EncodedSource([np.zeros((3, 1, 1), int)], None, squared_errors(images, output))
    scores = reconstruction_scores(encoded, num_values=4)
    assert scores["mse"] == pytest.approx(0.01, rel=1e-5)
    assert scores["psnr_db"] == pytest.approx(10 * math.log10(400), rel=1e-5)


def test_perfect_reconstruction_has_infinite_psnr():
    encoded = EncodedSource([np.zeros((3, 1, 1), int)], None, np.zeros(3))
    assert reconstruction_scores(encoded, 4) == {"mse": 0.0, "psnr_db": math.inf}
