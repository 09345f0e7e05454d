"""What all bottlenecks of codes share."""

from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.replica_losses import ReplicaLosses


class CodeBottleneck(ReplicaLosses):
    """A layer with a codebook `(num_embeddings, embedding_dim)`, which subclasses make.

    Args:
        num_embeddings: int, number of codes.
        embedding_dim: int, dimension of a code's vector.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, num_embeddings, embedding_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_embeddings = checked_int(num_embeddings, "num_embeddings")
        self.embedding_dim = checked_int(embedding_dim, "embedding_dim")

    @property
    def seen(self):
        """dict of what metrics ask for of the last batch, of this replica; `counts` among it."""
        return self._of_thread.seen

    def see(self, codes, **others):
        """Sets `seen`: float32 `counts` `(num_embeddings,)` of int `codes`, and `others`."""
        codes = ops.reshape(codes, (-1,))
        ones = ops.ones_like(codes, dtype="float32")
        counts = ops.segment_sum(ones, codes, self.num_embeddings)
        self._of_thread.seen = {"counts": counts, **others}

    def codes_to_vectors(self, codes):
        """Float32 `(batch, height, width, embedding_dim)` for int `codes` without the last axis."""
        return ops.take(ops.convert_to_tensor(self.codebook), codes, axis=0)
