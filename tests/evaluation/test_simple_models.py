import itertools
import math

import numpy as np
import pytest

from vqzoo.evaluation import simple_models
from vqzoo.evaluation.simple_models import (
    PairModel,
    PositionModel,
    draw_markov_maps,
    simple_model_nats,
)


def chain_maps(num_maps, transitions, generator, shape=(3, 5)):
    """Maps whose rows are Markov chains that start at code 0."""
    codes = np.zeros((num_maps, *shape), "int32")
    for column in range(1, shape[1]):
        cumulative = transitions.cumsum(axis=1)[codes[:, :, column - 1]]
        draws = generator.random(cumulative.shape[:2])[..., None]
        codes[:, :, column] = (draws > cumulative).sum(axis=-1)
    return codes


def test_markov_chain_is_found_out():
    generator = np.random.default_rng(0)
    transitions = generator.dirichlet(np.full(6, 0.3), size=6)
    train, test = (chain_maps(n, transitions, generator) for n in (3000, 1000))
    nats = simple_model_nats(train, test, 6)
    true = -np.log(transitions[test[:, :, :-1], test[:, :, 1:]]).sum(axis=(1, 2)).mean()
    # 36 frequencies from 36,000 pairs: within 1 % of the truth
    assert true * 0.99 < nats["markov"] < true * 1.01
    assert true * 0.99 < nats["markov_by_position"] < true * 1.01  # backs off: all rows are alike
    assert nats["markov"] < 0.9 * nats["independent"] < 0.9 * nats["uniform"]
    assert nats["uniform"] == pytest.approx(15 * math.log(6))


def test_independent_positions_are_found_out():
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet(np.ones(8), size=(2, 3))
    draws = generator.random((6000, 2, 3, 1))
    train, test = np.split((draws > probabilities.cumsum(-1)).sum(-1), [4000])
    nats = simple_model_nats(train, test, 8)
    rows, columns = np.indices((2, 3))
    true = -np.log(probabilities[rows, columns, test]).sum(axis=(1, 2)).mean()
    assert nats["independent"] == pytest.approx(true, rel=0.01)
    assert nats["markov"] == pytest.approx(true, rel=0.01)  # backs off: neighbours tell nothing


def test_probabilities_sum_to_one():
    train = np.random.default_rng(2).integers(0, 5, (20, 2, 3))
    every = np.array([(0, 0, k, 1, 2, 3) for k in range(7)]).reshape(7, 2, 3)
    position = PositionModel(train, 7).log_probs(every, 3.0)
    assert np.exp(position[:, 0, 2]).sum() == pytest.approx(1)
    for strengths in ((2.0,), (2.0, 4.0)):
        pairs = PairModel(train, every, position, 7).log_probs(*strengths)
        assert np.exp(pairs[:, 0, 1]).sum() == pytest.approx(1)
        assert np.isfinite(pairs).all()  # codes 5 and 6 never came


def test_counts_equal_definition():
    train = np.random.default_rng(3).integers(0, 3, (30, 2, 3))
    target = np.array([[[1, 2, 0], [0, 1, 1]]])
    position = PositionModel(train, 3).log_probs(target, 2.0)
    pairs = PairModel(train, target, position, 3)
    found, found_shared = pairs.log_probs(5.0, 7.0), pairs.log_probs(5.0)
    overall = (np.bincount(train.reshape(-1)) + 0.5) / (train.size + 1.5)
    for y, x in ((0, 1), (0, 2), (1, 1), (1, 2)):
        left, code = target[0, y, x - 1], target[0, y, x]
        own = (np.sum(train[:, y, x] == code) + 2 * overall[code]) / (30 + 2)
        assert np.exp(position[0, y, x]) == pytest.approx(own)
        lefts, codes = train[:, :, :-1], train[:, :, 1:]
        shared = np.sum((lefts == left) & (codes == code)) + 5 * own
        shared /= np.sum(lefts == left) + 5
        assert np.exp(found_shared[0, y, x - 1]) == pytest.approx(shared)
        local = np.sum((train[:, y, x - 1] == left) & (train[:, y, x] == code)) + 7 * shared
        local /= np.sum(train[:, y, x - 1] == left) + 7
        assert np.exp(found[0, y, x - 1]) == pytest.approx(local)


def test_pairs_that_differ_by_position_are_found_by_position():
    generator = np.random.default_rng(5)
    first = generator.integers(0, 4, (4000, 1, 1))
    codes = np.concatenate([first, (first + 1) % 4, (first + 3) % 4], axis=2)
    nats = simple_model_nats(codes[:3000], codes[3000:], 4)
    # given the first code all is certain; pairs of both positions together leave one of two
    assert nats["markov_by_position"] == pytest.approx(math.log(4), rel=0.02)
    assert nats["markov"] == pytest.approx(math.log(4) + 2 * math.log(2), rel=0.02)


def test_smoothing_is_chosen_without_the_test_maps(monkeypatch):
    generator = np.random.default_rng(4)
    train, test = generator.integers(0, 4, (200, 2, 3)), generator.integers(0, 4, (50, 2, 3))
    chosen, best = [], simple_models._best

    def recorded(score):
        chosen.append(best(score))
        return chosen[-1]

    monkeypatch.setattr(simple_models, "_best", recorded)
    for maps in (test, test[:1]):
        simple_model_nats(train, maps, 4)
    assert chosen[:3] == chosen[3:]


def test_maps_are_drawn_by_the_probabilities_that_are_scored():
    generator = np.random.default_rng(6)
    train = chain_maps(60, generator.dirichlet(np.full(3, 0.5), size=3), generator, (1, 3))
    train[:, 0, 0] = generator.integers(0, 3, 60)
    every = np.array(list(itertools.product(range(3), repeat=3))).reshape(27, 1, 3)
    nats = [simple_model_nats(train, one[None], 3, seed=1)["markov"] for one in every]
    probabilities = np.exp(-np.array(nats))
    assert probabilities.sum() == pytest.approx(1)
    drawn = draw_markov_maps(train, 3, 20_000, seed=1)
    assert drawn.shape == (20_000, 1, 3) and drawn.dtype == np.int32
    counts = np.bincount(drawn.reshape(-1, 3) @ [9, 3, 1], minlength=27)
    # four standard errors of a count; the seed is fixed
    room = 4 * np.sqrt(20_000 * probabilities) + 1
    assert (np.abs(counts - 20_000 * probabilities) < room).all()
    assert probabilities.max() > 4 * probabilities.min(), "nearly uniform: an empty test"
    np.testing.assert_array_equal(drawn, draw_markov_maps(train, 3, 20_000, seed=1))
