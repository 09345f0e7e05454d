"""Vector quantizer whose codebook follows moving averages."""

import keras
from keras import ops

from vqzoo.checks import checked_choice, checked_number, checked_seed
from vqzoo.layers.codebook_layer import CodebookLayer
from vqzoo.layers.kmeans import kmeans
from vqzoo.layers.replicas import sum_over_replicas, take_from_joined_batch
from vqzoo.layers.row_draws import draw_rows

KMEANS_POINTS_PER_CODE = 16
"""k-means looks at no more vectors than this for each code."""
STARTS = ("uniform", "sample", "kmeans")
START, CENTROIDS = -1, -2
"""In place of a step: the draws that a data-dependent start makes."""


@keras.saving.register_keras_serializable(package="vqzoo")
class VectorQuantizerEMA(CodebookLayer):
    """Replaces feature vectors by their nearest codes; codes are moving averages of the vectors.

    Section 2.1 of [VQ-VAE-2](https://arxiv.org/abs/1906.00446), after the appendix of
    arXiv:1711.00937. A vector z gets the code `k = argmin_i |z - e_i|`, the lowest i among
    equals. Each training batch then moves the codes towards their vectors: with `n_i` vectors of
    sum `s_i` for code i, over all replicas,

    ```
    N_i = decay * N_i + (1 - decay) * n_i        starts at 1
    m_i = decay * m_i + (1 - decay) * s_i        starts at e_i
    e_i = m_i / N'_i,  N'_i = (N_i + epsilon) / (sum N + num_embeddings * epsilon) * sum N
    ```

    where the last line applies to the codes with `n_i > 0` only: a code that nobody chose keeps
    its vector bit for bit. The batch itself is quantized with the codes as they were before.

    The gradient passes from the chosen vectors to the features unchanged (straight-through). Added
    to the model's losses: `commitment_cost * mean((z - sg(e_k))^2)`, a mean over all values.
    Distances, averages, losses and codebook are float32 under every dtype policy, and the search
    holds `vqzoo.layers.nearest_code.BLOCK_DISTANCES` distances at a time. Outside of training and
    with `trainable = False` nothing is updated.

    ```python
    quantizer = VectorQuantizerEMA(512, 64, restart_threshold=1.0)
    outputs = quantizer(keras.random.normal((8, 7, 5, 64)), training=True)
    outputs["codes"]        # int32 (8, 7, 5), between 0 and 511
    outputs["vectors"]      # (8, 7, 5, 64): codes_to_vectors(outputs["codes"]), in compute dtype
    quantizer.losses        # one number: the commitment loss
    ```

    Args:
        num_embeddings: int, number of codes K.
        embedding_dim: int, dimension D of features and codes.
        commitment_cost: float, weight of the commitment loss. It has a meaning only together with
            the scale and the reduction of the reconstruction loss.
        decay: float in [0, 1), how slowly the averages move.
        epsilon: float, smooths the counts towards equal ones.
        codebook_init: where the codes start. `"uniform"`: U(-1/K, 1/K). `"sample"`: at random
            vectors of the first training batch. `"kmeans"`: there, followed by ten Lloyd
            iterations over at most 16 K vectors of that batch. The batch is the joined one of all
            replicas and should have K vectors or more: equal codes are of no use.
        restart_threshold: None, or a number of vectors a batch. A code with `N_i` below it moves
            to a random vector of the joined batch, as in Section 3.2 of arXiv:2005.00341, and its
            `N_i` becomes `max(1, 2 * restart_threshold)`, as for codes that start from data.
            Choose it below the mean, batch * height * width / K; 1 is usual.
        seed: int or None; decides the uniform start and the vectors drawn for start and restarts,
            the latter together with the number of updates alone. None: from Keras' global seed.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        features: float tensor `(batch, height, width, embedding_dim)`.
        training: bool, whether to update the codes after quantizing.

    Weights, all made by `build` and none trained by gradients: `codebook` (K, D), `counts` (K,),
    `sums` (K, D), float32, and `updates`, an integer: how often the codes were updated.

    Raises:
        ValueError: if an argument is out of its range or features have another last axis or rank.
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        commitment_cost=0.25,
        decay=0.99,
        epsilon=1e-5,
        codebook_init="uniform",
        restart_threshold=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(num_embeddings, embedding_dim, commitment_cost, **kwargs)
        self.decay = checked_number(decay, "decay", "in [0, 1)", lambda share: 0 <= share < 1)
        self.epsilon = checked_number(epsilon, "epsilon", "above 0", _positive)
        self.codebook_init = checked_choice(codebook_init, "codebook_init", STARTS)
        if restart_threshold is not None:
            what = "of vectors a batch, above 0, or None"
            checked_number(restart_threshold, "restart_threshold", what, _positive)
        if seed is not None:
            checked_seed(seed)
        self.restart_threshold, self.seed = restart_threshold, seed
        # Twice the threshold: at the usual decay a fresh code has 68 steps to find its vectors.
        self._fresh_count = max(1.0, 2.0 * (restart_threshold or 0.0))
        limit = 1 / num_embeddings
        self._uniform = keras.initializers.RandomUniform(-limit, limit, seed)

    def build_codebook(self):
        shape = (self.num_embeddings, self.embedding_dim)
        self.codebook = self.add_codebook_weight("codebook", shape, self._uniform)
        self.counts = self.add_codebook_weight("counts", shape[:1], "ones")
        # The same numbers again, as an initializer repeats itself: e = m / N from the start.
        self.sums = self.add_codebook_weight("sums", shape, self._uniform)
        self.updates = self.add_codebook_weight("updates", (), "zeros", dtype="int")

    def codebook_for(self, rows, training):
        if training and self.trainable and self.codebook_init != "uniform":
            self._start_from(ops.stop_gradient(rows))
        return ops.convert_to_tensor(self.codebook)

    def _start_from(self, rows):
        """In the first update takes codes and averages from the joined batch."""
        # Collectives may not stand inside a condition, so the rows are picked in every step.
        points = take_from_joined_batch(rows, self._draw_start)
        first = ops.equal(self.updates, 0)
        codebook = ops.cond(
            first,
            lambda: points if self.codebook_init == "sample" else self._kmeans(points),
            lambda: ops.convert_to_tensor(self.codebook),
        )
        counts, sums = ops.convert_to_tensor(self.counts), ops.convert_to_tensor(self.sums)
        self.codebook.assign(codebook)
        self.counts.assign(ops.where(first, self._fresh_count, counts))
        self.sums.assign(ops.where(first, codebook * self._fresh_count, sums))

    def _draw_start(self, total):
        size = self.num_embeddings
        if self.codebook_init == "kmeans":
            size *= KMEANS_POINTS_PER_CODE
            size = min(size, total) if isinstance(total, int) else ops.minimum(size, total)
        return draw_rows(self._uniform.seed, START, size, total)

    def _kmeans(self, points):
        total = ops.shape(points)[0]
        chosen = draw_rows(self._uniform.seed, CENTROIDS, self.num_embeddings, total)
        return kmeans(points, ops.take(points, chosen, axis=0))

    def update_codebook(self, rows, codes, counts):
        if not self.trainable:
            return
        rows = ops.stop_gradient(rows)
        # Not one-hot times rows: that matrix would have as many numbers as there are distances.
        sums = ops.segment_sum(rows, codes, self.num_embeddings)
        batch_counts, batch_sums = sum_over_replicas(counts), sum_over_replicas(sums)
        counts = self.decay * self.counts + (1 - self.decay) * batch_counts
        sums = self.decay * self.sums + (1 - self.decay) * batch_sums
        # m and N of a code that nobody chose shrink alike, so m / N says nothing new; only the
        # smoothing below would move it, step by step towards 0.
        chosen, codebook = batch_counts[:, None] > 0, ops.convert_to_tensor(self.codebook)
        codebook = ops.where(chosen, sums / self._smooth(counts)[:, None], codebook)
        if self.restart_threshold is not None:
            codebook, counts, sums = self._restart(rows, codebook, counts, sums)
        self.codebook.assign(codebook)
        self.counts.assign(counts)
        self.sums.assign(sums)
        self.updates.assign_add(1)

    def _smooth(self, counts):
        # Laplace smoothing, after which the counts still add up to the same total.
        total = ops.sum(counts)
        return (counts + self.epsilon) / (total + self.num_embeddings * self.epsilon) * total

    def _restart(self, rows, codebook, counts, sums):
        """Moves the codes that are hardly used to random vectors of the joined batch."""
        step = ops.convert_to_tensor(self.updates)
        fresh = take_from_joined_batch(
            rows, lambda total: draw_rows(self._uniform.seed, step, self.num_embeddings, total)
        )
        unused = counts < self.restart_threshold
        counts = ops.where(unused, self._fresh_count, counts)
        unused = unused[:, None]
        codebook = ops.where(unused, fresh, codebook)
        return codebook, counts, ops.where(unused, fresh * self._fresh_count, sums)

    def get_config(self):
        arguments = ("decay", "epsilon", "codebook_init", "restart_threshold", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def _positive(number):
    return 0 < number < float("inf")
