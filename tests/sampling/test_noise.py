"""Counter-based noise: published vectors, a slow version in Python's ints, its distribution."""

import math

import numpy as np
import pytest
from keras import ops

from vqzoo.sampling import noise


def slow_threefry(key, counter):
    """Threefry-2x32 on Python's ints, written from the paper: key schedule, 20 rounds."""
    words, mask = list(counter), 2**32 - 1
    schedule = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    words = [(word + part) & mask for word, part in zip(words, schedule)]
    for index in range(20):
        distance = [13, 15, 26, 6, 17, 29, 16, 24][index % 8]
        total = (words[0] + words[1]) & mask
        turned = ((words[1] << distance) | (words[1] >> (32 - distance))) & mask
        words = [total, total ^ turned]
        if index % 4 == 3:
            group = index // 4 + 1
            words[0] = (words[0] + schedule[group % 3]) & mask
            words[1] = (words[1] + schedule[(group + 1) % 3] + group) & mask
    return tuple(words)


def threefry(key, counter):
    pairs = np.array([key, counter], "uint32")
    words = noise.threefry_2x32(*(tuple(map(ops.convert_to_tensor, pair)) for pair in pairs))
    return tuple(map(int, words))


ONES = 2**32 - 1
PUBLISHED = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]
"""Key, counter, words: known answers of the authors' Random123 library for 20 rounds."""


@pytest.mark.parametrize("key, counter, words", PUBLISHED)
def test_published_vectors(key, counter, words):
    assert slow_threefry(key, counter) == words
    assert threefry(key, counter) == words


def test_equals_the_slow_version():
    rng = np.random.default_rng(0)
    for key_and_counter in rng.integers(0, 2**32, (20, 2, 2)).tolist():
        key, counter = map(tuple, key_and_counter)
        assert threefry(key, counter) == slow_threefry(key, counter)


def test_gumbel_noise_is_a_function_of_seed_image_level_and_position():
    seed, image, level, position, count = 2**40 + 3, 5, 1, 77, 7
    keys = noise.image_keys(seed, np.array([4, image]), level)
    values = noise.gumbel_noise(keys, np.array([0, position]), count)
    assert values.shape == (2, 2, count)
    key = slow_threefry((seed % 2**32, seed // 2**32), (image, level))
    blocks = [slow_threefry(key, (position, block)) for block in range((count + 1) // 2)]
    words = np.array([left for left, _ in blocks] + [right for _, right in blocks])[:count]
    expected = -np.log(-np.log(((words >> 9) + 0.5) / 2**23))
    np.testing.assert_allclose(values[1, 1], expected, rtol=1e-5, atol=1e-6)


def test_each_argument_changes_the_noise_and_the_batch_does_not():
    def draw(seed=1, image=2, level=0, position=3):
        keys = noise.image_keys(seed, np.array([image]), level)
        return tuple(np.asarray(noise.gumbel_noise(keys, position, 4))[0])

    others = [draw(), draw(seed=2), draw(image=3), draw(level=1), draw(position=4)]
    assert len(set(others)) == len(others)
    together = noise.gumbel_noise(noise.image_keys(1, np.arange(5)), 3, 4)
    # A logarithm's last bit may depend on its place in a vector register.
    np.testing.assert_allclose(together[2], draw(), rtol=1e-6)


def test_a_tensor_of_seeds_means_the_same():
    one_by_one = [np.asarray(noise.image_keys(seed, np.array([7])))[0] for seed in (3, 4)]
    together = noise.image_keys(ops.convert_to_tensor([3, 4]), np.array([7, 7]))
    np.testing.assert_array_equal(together, one_by_one)


def test_extreme_words_give_finite_noise(monkeypatch):
    words = np.array([[0, 2**32 - 1, 511, 512]], "uint32")
    monkeypatch.setattr(noise, "random_words", lambda *_: ops.convert_to_tensor(words))
    values = np.asarray(noise.gumbel_noise(None, 0, 4))
    assert np.isfinite(values).all()
    assert values.argmax() == 1 and values.argmin() == 0


def test_distribution():
    values = np.asarray(noise.gumbel_noise(noise.image_keys(0, np.arange(200)), 0, 512)).ravel()
    count = values.size
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is exceeded once in a thousand seeds.
    ranks = np.arange(1, count + 1) / count
    assert np.abs(np.exp(-np.exp(-np.sort(values))) - ranks).max() < 1.95 / np.sqrt(count)
    neighbours = np.corrcoef(values[:-1], values[1:])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(count)  # four standard deviations


def test_labels_are_uniform_and_belong_to_the_image():
    labels = np.asarray(noise.uniform_labels(3, np.arange(5000), 10))
    counts = np.bincount(labels, minlength=10)
    assert counts.size == 10
    assert ((counts - 500) ** 2 / 500).sum() < 27.9  # chi-squared, 9 degrees, one in a thousand
    np.testing.assert_array_equal(noise.uniform_labels(3, np.arange(40, 50), 10), labels[40:50])


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range(seed):
    with pytest.raises(ValueError, match="`seed`"):
        noise.image_keys(seed, np.arange(2))


def test_normal_noise_is_box_and_muller_of_the_same_words():
    keys = noise.image_keys(9, np.array([4, 5]), 1)
    values = np.asarray(noise.normal_noise(keys, 3, 5))
    words = np.asarray(noise.random_words(keys, 3, 6)).astype("float64")
    uniform = (np.floor(words / 2**9) + 0.5) / 2**23
    points = np.sqrt(-2 * np.log(uniform[:, :3])) * np.exp(2j * np.pi * uniform[:, 3:])
    expected = np.concatenate([points.real, points.imag], axis=1)[:, :5]
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_normal_noise_is_normal():
    values = np.asarray(noise.normal_noise(noise.image_keys(0, np.arange(200)), 0, 500)).ravel()
    count = values.size
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is exceeded once in a thousand seeds.
    normal = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in np.sort(values)])
    assert np.abs(normal - np.arange(1, count + 1) / count).max() < 1.95 / np.sqrt(count)
    # standard errors of mean, variance and fourth moment: 1, sqrt(2) and sqrt(96) over sqrt(n)
    for power, moment, deviation in ((1, 0, 1), (2, 1, 2**0.5), (4, 3, 96**0.5)):
        assert abs(np.mean(values**power) - moment) < 4 * deviation / np.sqrt(count)
    pairs = values.reshape(200, 2, 250)
    assert abs(np.mean(pairs[:, 0] * pairs[:, 1])) < 4 / np.sqrt(count / 2)  # cosine with sine


def test_a_seed_of_any_integer_type_is_the_same():
    expected = ops.convert_to_numpy(noise.image_keys(7, np.arange(3)))
    for kind in (np.uint8, np.int64):
        keys = ops.convert_to_numpy(noise.image_keys(kind(7), np.arange(3)))
        np.testing.assert_array_equal(keys, expected)
