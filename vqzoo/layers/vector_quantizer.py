"""Vector quantizer whose codebook is trained by gradients."""

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_seed
from vqzoo.layers.codebook_layer import CodebookLayer, checked_cost


@keras.saving.register_keras_serializable(package="vqzoo")
class VectorQuantizer(CodebookLayer):
    """Replaces feature vectors by their nearest codes; the codes are trained by gradients.

    [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937), equations 1-3. A
    vector z gets the code `k = argmin_i |z - e_i|`, the lowest i among equals. Added to the
    model's losses, as means over all values:

    ```
    commitment_cost * mean((z - sg(e_k))^2)  and  codebook_cost * mean((sg(z) - e_k)^2)
    ```

    The gradient of everything after the layer passes to the features unchanged
    (straight-through) and does not reach the codebook, which the second loss alone moves.
    Distances, losses and codebook are float32 under every dtype policy, and the search holds
    `vqzoo.layers.nearest_code.BLOCK_DISTANCES` distances at a time.

    ```python
    quantizer = VectorQuantizer(512, 64)
    outputs = quantizer(keras.random.normal((8, 7, 5, 64)))
    outputs["codes"]        # int32 (8, 7, 5), between 0 and 511
    outputs["vectors"]      # (8, 7, 5, 64): codes_to_vectors(outputs["codes"]), in compute dtype
    quantizer.losses        # two numbers: commitment and codebook loss
    ```

    Args:
        num_embeddings: int, number of codes K; they start at U(-1/K, 1/K).
        embedding_dim: int, dimension D of features and codes.
        commitment_cost: float, weight of the first loss. It has a meaning only together with the
            scale and the reduction of the reconstruction loss.
        codebook_cost: float, weight of the second loss.
        trainable_codebook: bool; False leaves the codes where they start and the second loss out.
        seed: int or None; decides where the codes start. None: from Keras' global seed.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        features: float tensor `(batch, height, width, embedding_dim)`.
        training: bool, of no influence: gradients train this codebook.

    Raises:
        ValueError: if an argument is out of its range or features have another last axis or rank.
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        commitment_cost=0.25,
        codebook_cost=1.0,
        trainable_codebook=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(num_embeddings, embedding_dim, commitment_cost, **kwargs)
        self.codebook_cost = checked_cost(codebook_cost, "codebook_cost")
        self.trainable_codebook = checked_bool(trainable_codebook, "trainable_codebook")
        self.seed = seed if seed is None else checked_seed(seed)

    def build_codebook(self):
        limit = 1 / self.num_embeddings
        self.codebook = self.add_codebook_weight(
            "codebook",
            (self.num_embeddings, self.embedding_dim),
            keras.initializers.RandomUniform(-limit, limit, self.seed),
            trainable=self.trainable_codebook,
        )

    def add_codebook_loss(self, rows, nearest):
        if self.trainable_codebook:
            loss = ops.mean(ops.square(ops.stop_gradient(rows) - nearest))
            self.add_loss(self.codebook_cost * loss)

    def get_config(self):
        arguments = ("codebook_cost", "trainable_codebook", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
