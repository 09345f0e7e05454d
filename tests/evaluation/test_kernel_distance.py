import itertools

import numpy as np
import pytest

from vqzoo.evaluation import kernel_distance
from vqzoo.evaluation.kernel_distance import kid, median_distance, mmd, unbiased_mmd


def cubic(x, y):
    return (np.dot(x, y) / len(x) + 1) ** 3


def slow_mmd(first, second, kernel):
    """The definition, one pair at a time."""
    within = [
        np.mean([kernel(x, y) for x, y in itertools.permutations(rows, 2)])
        for rows in (first, second)
    ]
    return sum(within) - 2 * np.mean([kernel(x, y) for x in first for y in second])


@pytest.fixture
def sets():
    generator = np.random.default_rng(0)
    return generator.normal(size=(23, 3)), generator.normal(size=(17, 3)) + 0.5


def test_gaussian_kernel_equals_the_definition_in_blocks(sets, monkeypatch):
    monkeypatch.setattr(kernel_distance, "BLOCK", 5)
    expected = slow_mmd(*sets, lambda x, y: np.exp(-np.sum((x - y) ** 2) / (2 * 1.7**2)))
    assert mmd(*sets, bandwidth=1.7) == pytest.approx(expected, rel=1e-10)


def test_bandwidth_is_the_median_distance_of_the_second_set(sets):
    pairs = itertools.combinations(sets[1], 2)
    median = np.median([np.linalg.norm(x - y) for x, y in pairs])
    assert median_distance(sets[1]) == pytest.approx(median, rel=1e-12)
    assert mmd(*sets) == mmd(*sets, bandwidth=median_distance(sets[1]))


def test_kid_of_whole_sets_equals_the_definition(sets):
    """With subsets as large as the smaller set, that one is always whole."""
    first, second = sets[0][:17], sets[1]
    value, error = kid(first, second)
    assert value == pytest.approx(slow_mmd(first, second, cubic), rel=1e-10)
    assert error < 1e-12  # all subsets are the same


@pytest.mark.parametrize("estimate", [mmd, lambda x, y: kid(x, y)[0]], ids=["mmd", "kid"])
def test_no_bias_between_sets_of_one_distribution(estimate):
    """The mean over many small draws is 0 within three of its errors, and the biased one is not."""
    generator = np.random.default_rng(1)
    values = [estimate(*generator.normal(size=(2, 8, 2))) for _ in range(400)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    assert min(values) < 0  # as it must be somewhere, if 0 is the mean


def test_the_biased_estimate_would_fail():
    """That the test above can: with a row's kernel with itself the mean is far from 0."""
    generator = np.random.default_rng(1)
    values = []
    for first, second in generator.normal(size=(400, 2, 8, 2)):
        own = [np.mean(kernel_distance._cubic(x, x)) for x in (first, second)]
        values.append(sum(own) - 2 * kernel_distance._cubic(first, second).mean())
    assert np.mean(values) > 10 * np.std(values) / np.sqrt(len(values))


def test_expected_value_of_shifted_normals():
    """Gaussian kernel of width s, normals of variance 1 at distance d, in one dimension.

    E k = s / (s^2 + 2)^(1/2) exp(-d^2 / (2 (s^2 + 2))), and twice the difference to d = 0.
    """
    generator, width, shift = np.random.default_rng(2), 1.5, 1.0
    scale = width / np.sqrt(width**2 + 2)
    expected = 2 * scale * (1 - np.exp(-(shift**2) / (2 * (width**2 + 2))))
    values = [
        mmd(generator.normal(size=(40, 1)), generator.normal(size=(40, 1)) + shift, width)
        for _ in range(200)
    ]
    assert np.mean(values) == pytest.approx(expected, abs=3 * np.std(values) / np.sqrt(200))


def test_kid_has_an_error_and_repeats(monkeypatch):
    monkeypatch.setattr(kernel_distance, "KID_SIZE", 20)
    generator = np.random.default_rng(3)
    first, second = generator.normal(size=(2, 200, 4))
    value, error = kid(first, second, seed=5)
    assert (value, error) == kid(first, second, seed=5) != kid(first, second, seed=6)
    exact = unbiased_mmd(first, second, kernel_distance._cubic)
    assert abs(value - exact) < 4 * error and 0 < error
