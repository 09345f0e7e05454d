"""Metrics of how the codes are used."""

import keras
from keras import ops


class CodeHistogram(keras.metrics.Metric):
    """How often each code was chosen since the last reset, over all replicas.

    A mean over batches would be another number: few images cannot use many codes, and perplexity
    is no linear function of the shares. So counts are kept, of shape `(num_embeddings,)`.

    Args:
        num_embeddings: int, number of codes.
        name: str, name in the logs.
        **kwargs: as for `keras.metrics.Metric`.
    """

    def __init__(self, num_embeddings, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_embeddings = num_embeddings
        self.counts = self.add_variable(
            shape=(num_embeddings,), initializer="zeros", dtype="float32", name="counts"
        )

    def update_state(self, counts):
        """Adds `counts`, float32 `(num_embeddings,)`: how often each code was chosen."""
        self.counts.assign_add(counts)

    def get_config(self):
        return {**super().get_config(), "num_embeddings": self.num_embeddings}


@keras.saving.register_keras_serializable(package="vqzoo")
class Perplexity(CodeHistogram):
    """`exp(-sum_k p_k ln(p_k + 1e-10))` of the codes chosen: as many equally likely codes.

    The exponential of the entropy in nats of the histogram, whose shape is `(num_embeddings,)`.
    Between 1 (one code; also before any update) and `num_embeddings`.
    """

    def result(self):
        share = self.counts / ops.maximum(ops.sum(self.counts), 1.0)
        # 0 ln 0 should be 0 and would be nan; the constant changes no term by more than 1e-10.
        return ops.exp(-ops.sum(share * ops.log(share + 1e-10)))


@keras.saving.register_keras_serializable(package="vqzoo")
class Usage(CodeHistogram):
    """Share of the codes that were chosen at least once, between 0 and 1.

    Taken from the histogram of shape `(num_embeddings,)`; 1 - usage is the share of dead codes.
    """

    def result(self):
        return ops.mean(ops.cast(self.counts > 0, "float32"))
