"""Models of one map of codes that are counted, not trained: what a prior has to beat."""

import numpy as np

HELD_OUT = 0.1
"""Share of the training maps on which the weights of the smoothing are chosen."""

STRENGTHS = 2.0 ** np.arange(-6, 17)
"""Weights that are tried: how many observations the smoother distribution counts for."""


def simple_model_nats(train, test, num_embeddings, seed=0):
    """Mean negative log-likelihood of test maps, in nats per map, under three simple models.

    Backing off to a smoother distribution that counts for some observations is the posterior mean
    under a Dirichlet prior; MacKay and Peto, "A hierarchical Dirichlet language model", 1995,
    doi:10.1017/S1351324900000218. The models know no labels. Their smoothing is as strong as is
    best on a held-out tenth of the training maps; then they are counted again on all of these.

    - `uniform`: every code is equally likely.
    - `independent`: each position has its own frequencies, smoothed by those of all positions.
    - `markov`: in raster order each code depends on its left neighbour, by the frequencies of
      pairs at all positions, backing off to the position's own frequencies, which the first
      column has alone.
    - `markov_by_position`: the frequencies of pairs at this very position, backing off to
      `markov`. As many tables as positions; no longer a simple model, but harder to beat.

    Args:
        train: int array `(images, h, w)` in 0 .. num_embeddings - 1.
        test: int array `(images, h, w)`.
        num_embeddings: int.
        seed: int, of the draw of the held-out maps.

    Returns:
        dict of the names to float.
    """
    strength, shared, local = _strengths(train, num_embeddings, seed)
    independent = PositionModel(train, num_embeddings).log_probs(test, strength)
    pairs = PairModel(train, test, independent, num_embeddings)
    # The first column has no left neighbour: both Markov models take its own frequencies.
    first = independent[:, :, 0].sum()
    return {
        "uniform": float(np.prod(test.shape[1:]) * np.log(num_embeddings)),
        "independent": float(-independent.sum() / len(test)),
        "markov": float(-(first + pairs.log_probs(shared).sum()) / len(test)),
        "markov_by_position": float(-(first + pairs.log_probs(shared, local).sum()) / len(test)),
    }


def draw_markov_maps(train, num_embeddings, count, seed=0):
    """Maps drawn from the model `markov` of `simple_model_nats`: what a prior's samples must beat.

    Args:
        train: int array `(images, h, w)`, counted as there; `num_embeddings` squared counts are
            held in memory.
        num_embeddings, count: int, the second maps to draw.
        seed: int, of the smoothing and of the draws.

    Returns:
        int32 array `(count, h, w)`.
    """
    strength, shared, _ = _strengths(train, num_embeddings, seed)
    positions = PositionModel(train, num_embeddings).probabilities(strength)
    pairs = train[:, :, :-1].astype("int64") * num_embeddings + train[:, :, 1:]
    pairs = np.bincount(pairs.reshape(-1), minlength=num_embeddings**2)
    pairs = pairs.reshape(num_embeddings, num_embeddings)
    generator = np.random.default_rng(seed)
    maps = np.empty((count, *train.shape[1:]), "int32")
    for row, column in np.ndindex(train.shape[1:]):
        weights = np.broadcast_to(positions[row, column], (count, num_embeddings))
        if column:
            weights = pairs[maps[:, row, column - 1]] + shared * weights
        cumulative = weights.cumsum(axis=1)
        draws = generator.random(count) * cumulative[:, -1]
        maps[:, row, column] = (cumulative <= draws[:, None]).sum(axis=1)
    return maps


def _strengths(train, num_embeddings, seed):
    """Weights of the smoothing: of all positions' frequencies, of a position's, of `markov`."""
    order = np.random.default_rng(seed).permutation(len(train))
    cut = max(1, round(HELD_OUT * len(train)))
    held_out, rest = train[order[:cut]], train[order[cut:]]
    # One strength after the other, from the smoothest model up: each needs the one it backs off to.
    searched = PositionModel(rest, num_embeddings)
    strength = _best(lambda strength: searched.log_probs(held_out, strength).sum())
    pairs = PairModel(rest, held_out, searched.log_probs(held_out, strength), num_embeddings)
    shared = _best(lambda value: pairs.log_probs(value).sum())
    return strength, shared, _best(lambda value: pairs.log_probs(shared, value).sum())


def _best(score):
    return STRENGTHS[int(np.argmax([score(strength) for strength in STRENGTHS]))]


class PositionModel:
    """Frequencies of the codes at each position, smoothed by those of all positions.

    Args:
        codes: int array `(images, h, w)` to count.
        num_embeddings: int.
    """

    def __init__(self, codes, num_embeddings):
        self.num_embeddings, self.total = num_embeddings, len(codes)
        flat = codes.reshape(len(codes), -1).astype("int64")
        keys = np.arange(flat.shape[1]) * num_embeddings + flat
        counts = np.bincount(keys.reshape(-1), minlength=flat.shape[1] * num_embeddings)
        self.counts = counts.reshape(*codes.shape[1:], num_embeddings)
        overall = self.counts.sum(axis=(0, 1)) + 0.5  # a code that never came may still come
        self.overall = overall / overall.sum()

    def log_probs(self, codes, strength):
        """Log-probability in nats of each code of `codes` `(images, h, w)`."""
        rows, columns = np.indices(codes.shape[1:])
        return np.log(self.probabilities(strength))[rows, columns, codes]

    def probabilities(self, strength):
        """Probability of every code at every position, float64 `(h, w, num_embeddings)`."""
        return (self.counts + strength * self.overall) / (self.total + strength)


class PairModel:
    """Frequencies of a code after its left neighbour, looked up for certain maps.

    Pairs are counted sparsely, so memory grows with the number of codes in the maps and not with
    the square of the codebook.

    Args:
        codes: int array `(images, h, w)` to count.
        targets: int array `(others, h, w)`, the maps to predict.
        position_log_probs: float array of the shape of `targets`, from `PositionModel`.
        num_embeddings: int.
    """

    def __init__(self, codes, targets, position_log_probs, num_embeddings):
        self.position_probs = np.exp(position_log_probs[:, :, 1:])
        size = num_embeddings
        left, pair = _keys(codes, size)
        target_left, target_pair = _keys(targets, size)
        self.local_left = _occurrences(left, target_left)
        self.local_pair = _occurrences(pair, target_pair)
        self.shared_left = _occurrences(left % size, target_left % size)
        self.shared_pair = _occurrences(pair % size**2, target_pair % size**2)

    def log_probs(self, shared, local=None):
        """Log-probability in nats of each target with a left neighbour, `(others, h, w - 1)`.

        Args:
            shared: float, weight of the position's frequencies beside pairs of all positions.
            local: float, weight of the result beside the pairs of the position itself, or None
                to leave these out.
        """
        smoothed = self.shared_pair + shared * self.position_probs
        smoothed = smoothed / (self.shared_left + shared)
        if local is not None:
            smoothed = (self.local_pair + local * smoothed) / (self.local_left + local)
        return np.log(smoothed)


def _keys(codes, size):
    """Numbers that name (position, left code) and (position, left code, code), int64."""
    codes = codes.astype("int64")
    rows, columns = np.indices(codes.shape[1:])
    position = (rows * codes.shape[2] + columns)[:, 1:]
    left = position * size + codes[:, :, :-1]
    return left, left * size + codes[:, :, 1:]


def _occurrences(keys, wanted):
    """How often each number of `wanted` occurs in `keys`: int64 of the shape of `wanted`."""
    # A table of all pairs at all positions would have h w K^2 entries: gigabytes at K = 8,192.
    values, counts = np.unique(keys, return_counts=True)
    if not len(values):
        return np.zeros(wanted.shape, "int64")
    places = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[places] == wanted, counts[places], 0)
