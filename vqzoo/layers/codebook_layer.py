"""What all vector quantizers share."""

import keras
from keras import ops

from vqzoo.checks import checked_number
from vqzoo.layers.code_bottleneck import CodeBottleneck
from vqzoo.layers.map_checks import check_map, check_map_shape
from vqzoo.layers.nearest_code import nearest_code


def checked_cost(value, argument):
    """The weight of a loss, or a ValueError naming `argument`."""
    return checked_number(value, argument, "of 0 or more", lambda cost: 0 <= cost < float("inf"))


class CodebookLayer(CodeBottleneck):
    """Replaces every feature vector by its nearest code; subclasses make and train the codebook.

    Distances, losses and the codebook are float32 under every dtype policy.

    After a call `seen` is a dict of what metrics ask for: `counts`, float32 `(num_embeddings,)`,
    how often each code was chosen, and `commitment`, float32, the mean squared distance of the
    features to their codes. A model reads it in its `compute_loss`, the only place where Keras
    lets metrics change under JAX too; see `vqzoo.models.VQVAE`.

    As a posterior it puts all probability on the nearest code, Equation 4 of Jones and Moore, Is
    the Discrete VAE's Power Stuck in its Prior? (2020).
    """

    stochastic = False
    watched = ("commitment",)

    def __init__(self, num_embeddings, embedding_dim, commitment_cost=0.25, **kwargs):
        super().__init__(num_embeddings, embedding_dim, **kwargs)
        self.commitment_cost = checked_cost(commitment_cost, "commitment_cost")
        self.feature_channels = self.embedding_dim

    def build(self, input_shape):
        check_map_shape(input_shape, self.embedding_dim, "features")
        self.build_codebook()

    def add_codebook_weight(self, name, shape, initializer, **kwargs):
        """A float32 weight that mixed precision does not cast."""
        kwargs = {"dtype": "float32", "autocast": False, "trainable": False, **kwargs}
        return self.add_weight(name=name, shape=shape, initializer=initializer, **kwargs)

    def call(self, features, training=False):
        check_map(features, self.embedding_dim, "features")
        rows = ops.reshape(ops.cast(features, "float32"), (-1, self.embedding_dim))
        codebook = self.codebook_for(rows, training)
        codes = nearest_code(rows, codebook)
        nearest = ops.take(codebook, codes, axis=0)
        commitment = ops.mean(ops.square(rows - ops.stop_gradient(nearest)))
        self.add_loss(self.commitment_cost * commitment)
        self.add_codebook_loss(rows, nearest)
        self.see(codes, commitment=ops.stop_gradient(commitment))
        if training:
            self.update_codebook(rows, codes, self.seen["counts"])
        shape = ops.shape(features)
        nearest = ops.reshape(ops.cast(ops.stop_gradient(nearest), features.dtype), shape)
        # Straight-through: the difference is exactly 0, its gradient the identity. The other way
        # round, z + sg(e - z), rounding would make vectors differ from `codes_to_vectors`.
        vectors = nearest + (features - ops.stop_gradient(features))
        return {"codes": ops.reshape(codes, shape[:-1]), "vectors": vectors}

    def build_codebook(self):
        """Makes the weights, among them `codebook` `(num_embeddings, embedding_dim)`."""
        raise NotImplementedError

    def codebook_for(self, rows, training):
        """The codebook that this batch is quantized with."""
        return ops.convert_to_tensor(self.codebook)

    def add_codebook_loss(self, rows, nearest):
        """Adds the loss that moves the codebook, if one does."""

    def update_codebook(self, rows, codes, counts):
        """Moves the codebook after a training batch, if no gradient does."""

    def one_hot(self, outputs):
        """What a prior is given of a call's `outputs`: float32 `(..., num_embeddings)`."""
        return ops.one_hot(outputs["codes"], self.num_embeddings, dtype="float32")

    def divergence(self, outputs, prior_log_probs):
        """KL(q || p) of a call's `outputs`, float32 `(batch,)` nats: -log p of the codes.

        The entropy of one code is 0; no gradient of this reaches the features.

        Args:
            outputs: dict that the call gave.
            prior_log_probs: float32 `(batch, height, width, num_embeddings)`, log p(k | z_<i).
        """
        return -ops.sum(self.one_hot(outputs) * prior_log_probs, axis=(1, 2, 3))

    def compute_output_spec(self, features, training=False):
        codes = keras.KerasTensor(features.shape[:-1], dtype="int32")
        vectors = keras.KerasTensor(features.shape, dtype=self.compute_dtype)
        return {"codes": codes, "vectors": vectors}

    def get_config(self):
        arguments = ("num_embeddings", "embedding_dim", "commitment_cost")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
