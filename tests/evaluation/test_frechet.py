import numpy as np
import pytest

from vqzoo.evaluation.frechet import Moments, frechet_distance


def moments(rows, batch=None):
    """Moments of float rows `(images, features)`, given in batches of a size."""
    found = Moments(rows.shape[1])
    for start in range(0, len(rows), batch or len(rows)):
        found.update(rows[start : start + (batch or len(rows))])
    return found


def exactly(mean, covariance, count=1000):
    """Moments as of images that have this very mean and covariance."""
    found = Moments(len(mean))
    found.count, found.mean = count, np.asarray(mean, float)
    found.scatter = np.asarray(covariance, float) * (count - 1)
    return found


def test_moments_equal_numpy():
    rows = np.random.default_rng(0).normal(size=(50, 4)) * [1, 2, 3, 4] + 7
    found = moments(rows, batch=13)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.covariance(), np.cov(rows.T), rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 7, 64, 300])
def test_batches_change_nothing_even_far_from_the_origin(batch):
    """A sum of squares would lose the covariance: 1e8 squared leaves no digit for it."""
    rows = np.random.default_rng(1).normal(size=(300, 3)) + 1e8
    expected = np.cov((rows - 1e8).T)
    np.testing.assert_allclose(moments(rows, batch).covariance(), expected, rtol=1e-6)


def test_normal_distributions_in_closed_form():
    """With covariances that share their axes, the root of the product is a product of roots."""
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    one, other = np.array([1, 4, 9, 0.25, 2]), np.array([4, 1, 1, 0.25, 8])
    shift = np.array([1.0, 0, -2, 0, 0.5])
    expected = np.sum(shift**2) + np.sum((np.sqrt(one) - np.sqrt(other)) ** 2)
    first = exactly(np.zeros(5), (rotation * one) @ rotation.T)
    second = exactly(shift, (rotation * other) @ rotation.T)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-12)


def test_covariances_that_do_not_commute():
    """In two dimensions tr (AB)^(1/2) = (tr AB + 2 (det AB)^(1/2))^(1/2)."""
    one, other = np.array([[2, 0.9], [0.9, 1]]), np.array([[1, -0.5], [-0.5, 3]])
    product = one @ other
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(one) + np.trace(other) - 2 * root
    found = frechet_distance(exactly(np.zeros(2), one), exactly(np.zeros(2), other))
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rank", [60, 3, 1])
def test_a_set_is_at_no_distance_from_itself(rank):
    """Also where the covariance is singular, and 57 eigenvalues are rounding errors."""
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(200, rank)) @ generator.normal(size=(rank, 60))
    distance = frechet_distance(moments(rows), moments(rows, 32))
    assert distance <= 1e-10 * np.trace(np.cov(rows.T))


def test_rounding_errors_of_zeros_do_not_add_up():
    """(C 4C)^(1/2) = 2C: the distance is tr C, and no root of a rounding error may count in it."""
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(400, 3)) @ generator.normal(size=(3, 200))
    rows -= rows.mean(axis=0)
    expected = np.trace(np.cov(rows.T))
    assert frechet_distance(moments(rows), moments(2 * rows)) == pytest.approx(expected, rel=1e-10)


def test_singular_covariances_on_different_axes():
    """Nothing in common: the distance is the sum of both variances."""
    first, second = exactly([0, 0], [[3, 0], [0, 0]]), exactly([0, 0], [[0, 0], [0, 5]])
    assert frechet_distance(first, second) == pytest.approx(8, rel=1e-12)


def test_too_few_images_are_said():
    rows = np.random.default_rng(4).normal(size=(8, 8))
    with pytest.warns(UserWarning, match="8 features from 8 images is too large"):
        frechet_distance(moments(rows), moments(rows))
    with pytest.raises(ValueError, match="needs two images or more. Received: 1"):
        moments(rows[:1]).covariance()
