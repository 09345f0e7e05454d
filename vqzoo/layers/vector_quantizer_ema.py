"""Vector quantizer whose codebook follows moving averages."""

import keras
from keras import ops

from vqzoo.layers.codebook_layer import CodebookLayer
from vqzoo.layers.kmeans import kmeans
from vqzoo.layers.replicas import sum_over_replicas, take_from_joined_batch
from vqzoo.layers.row_draws import draw_rows

KMEANS_POINTS_PER_CODE = 16
"""k-means looks at no more vectors than this for each code."""
START, CENTROIDS = -1, -2
"""In place of a step: the draws that a data-dependent start makes."""


@keras.saving.register_keras_serializable(package="vqzoo")
class VectorQuantizerEMA(CodebookLayer):
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
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must be in [0, 1), such as 0.99. Received: {decay}")
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive, such as 1e-5. Received: {epsilon}")
        if codebook_init not in ("uniform", "sample", "kmeans"):
            raise ValueError(
                '`codebook_init` must be "uniform", "sample" or "kmeans". '
                f"Received: {codebook_init!r}"
            )
        if restart_threshold is not None and not restart_threshold > 0:
            raise ValueError(
                "`restart_threshold` must be None or a positive number of vectors a batch. "
                f"Received: {restart_threshold}"
            )
        self.decay = decay
        self.epsilon = epsilon
        self.codebook_init = codebook_init
        self.restart_threshold = restart_threshold
        self.seed = seed
        # Twice the threshold: at the usual decay a fresh code has 69 steps to find its vectors.
        self._fresh_count = max(1.0, 2.0 * (restart_threshold or 0.0))
        limit = 1 / num_embeddings
        self._uniform = keras.initializers.RandomUniform(-limit, limit, seed)

    def build_codebook(self):
        shape = (self.num_embeddings, self.embedding_dim)
        self.codebook = self.add_codebook_weight("codebook", shape, self._uniform)
        self.counts = self.add_codebook_weight("counts", shape[:1], "ones")
        self.sums = self.add_codebook_weight("sums", shape, self._uniform)  # the same numbers
        self.updates = self.add_codebook_weight("updates", (), "zeros", dtype="int")

    def codebook_for(self, rows, training):
        starts = training and self.trainable and self.codebook_init != "uniform"
        if starts:
            self._start_from(ops.stop_gradient(rows))
        return ops.convert_to_tensor(self.codebook)

    def _start_from(self, rows):
        """In the first update takes codebook and averages from the joined batch."""
        # Collectives may not stand inside a condition, so the rows are picked in every step.
        points = take_from_joined_batch(rows, self._draw_start)
        first = ops.equal(self.updates, 0)
        codebook = ops.cond(
            first,
            lambda: points if self.codebook_init == "sample" else self._kmeans(points),
            lambda: ops.convert_to_tensor(self.codebook),
        )
        self.codebook.assign(codebook)
        self.counts.assign(ops.where(first, self._fresh_count, self.counts))
        self.sums.assign(ops.where(first, codebook * self._fresh_count, self.sums))

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
        sums = ops.segment_sum(rows, codes, self.num_embeddings)
        batch_counts, batch_sums = sum_over_replicas(counts), sum_over_replicas(sums)
        counts = self.decay * self.counts + (1 - self.decay) * batch_counts
        sums = self.decay * self.sums + (1 - self.decay) * batch_sums
        total = ops.sum(counts)
        smoothed = (counts + self.epsilon) / (total + self.num_embeddings * self.epsilon) * total
        codebook = ops.where(
            batch_counts[:, None] > 0, sums / smoothed[:, None], ops.convert_to_tensor(self.codebook)
        )
        if self.restart_threshold is not None:
            codebook, counts, sums = self._restart(rows, codebook, counts, sums)
        self.codebook.assign(codebook)
        self.counts.assign(counts)
        self.sums.assign(sums)
        self.updates.assign_add(1)

    def _restart(self, rows, codebook, counts, sums):
        """Moves codes that are hardly used to random vectors of the joined batch."""
        seed, size = self._uniform.seed, self.num_embeddings
        step = ops.convert_to_tensor(self.updates)
        fresh = take_from_joined_batch(rows, lambda total: draw_rows(seed, step, size, total))
        dead = counts < self.restart_threshold
        counts = ops.where(dead, self._fresh_count, counts)
        dead = dead[:, None]
        return ops.where(dead, fresh, codebook), counts, ops.where(dead, fresh * self._fresh_count, sums)

    def get_config(self):
        arguments = ("decay", "epsilon", "codebook_init", "restart_threshold", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
