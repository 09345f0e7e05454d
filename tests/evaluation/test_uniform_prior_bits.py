import math

import pytest

from vqzoo.evaluation.uniform_prior_bits import uniform_prior_scores


@pytest.mark.parametrize(
    "printed, mse, num_values, shape, unit, best",
    [  # rows of the paper's Table 1 with the squared errors that they imply, and the right figures
        (5.852, 0.0135, 3072, (8, 8), 8.523, 6.130),
        (6.221, 0.0218, 784, (7, 7), 8.904, 6.851),
        (6.228, 0.0121, 784, (7, 7), 8.897, 6.427),
    ],
)
def test_table_of_the_paper(printed, mse, num_values, shape, unit, best):
    scores = uniform_prior_scores(mse, num_values, [512], [shape])
    assert scores["s3_eq7_bits"] == pytest.approx(printed, abs=1e-3)
    # these were computed with ln 128 where the width of a grey level is exactly ln 127.5
    difference = math.log2(128 / 127.5)
    assert scores["bpd_unit"] == pytest.approx(unit - difference, abs=1e-3)
    # the rounding of the mse to 0.0001 matters here
    assert scores["bpd_opt"] == pytest.approx(best - difference, abs=4e-3)


def test_best_variance_is_the_error():
    def bits(mse, variance):
        nats = 0.5 * math.log(2 * math.pi * variance) + mse / variance / 2 + math.log(127.5)
        return (nats + 3 * math.log(16) / 12) / math.log(2)

    scores = uniform_prior_scores(0.02, 12, [16], [(1, 3)])
    assert scores["bpd_unit"] == pytest.approx(bits(0.02, 1.0))
    assert scores["bpd_opt"] == pytest.approx(bits(0.02, 0.02))
    assert scores["bpd_opt"] < min(bits(0.02, 0.019), bits(0.02, 0.021))
