"""Vector quantizer whose codebook is trained by gradients."""

import keras
from keras import ops

from vqzoo.layers.codebook_layer import CodebookLayer


@keras.saving.register_keras_serializable(package="vqzoo")
class VectorQuantizer(CodebookLayer):
    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        commitment_cost=0.25,
        codebook_cost=1.0,
        trainable_codebook=True,
        **kwargs,
    ):
        super().__init__(num_embeddings, embedding_dim, commitment_cost, **kwargs)
        if not codebook_cost >= 0:
            raise ValueError(f"`codebook_cost` must be at least 0. Received: {codebook_cost}")
        self.codebook_cost = codebook_cost
        self.trainable_codebook = trainable_codebook

    def build_codebook(self):
        limit = 1 / self.num_embeddings
        self.codebook = self.add_codebook_weight(
            "codebook",
            (self.num_embeddings, self.embedding_dim),
            keras.initializers.RandomUniform(-limit, limit),
            trainable=self.trainable_codebook,
        )

    def add_codebook_loss(self, rows, nearest):
        if self.trainable_codebook:
            loss = ops.mean(ops.square(ops.stop_gradient(rows) - nearest))
            self.add_loss(self.codebook_cost * loss)

    def get_config(self):
        arguments = ("codebook_cost", "trainable_codebook")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
