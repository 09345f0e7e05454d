"""PixelCNN++: a causal network that looks at its map at several resolutions."""

import keras

from vqzoo.networks.code_vectors import code_embedding, map_vectors, vectors
from vqzoo.networks.shifted_network import ShiftedNetwork


@keras.saving.register_keras_serializable(package="vqzoo")
class PixelCNNPlusPlus(ShiftedNetwork):
    """Logits of each code given those before it in raster order, seen from near and from afar.

    The network of [PixelCNN++](https://arxiv.org/abs/1701.05517), see `ShiftedNetwork`, over codes
    as in Section 5 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020): an
    embedding of the codes at the beginning, a softmax at the end.

    Departures: no weight normalisation (see `ShiftedResidualBlock`), and no channel of ones to mark
    the padding, since the vectors of the codes may have one.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding.
        num_blocks: int, residual blocks of a resolution, once down and once up.
        num_downsamplings: int, 0 to 2, how often the resolution is halved.
        dropout: float in [0, 1), see `ShiftedResidualBlock`.
        condition_channels: int or `None`, channels of a feature map to condition on.
        name: str.

    Call arguments:
        codes: int tensor `(batch, height, width)` in `[0, num_embeddings)`, or float weights of the
            codes `(batch, height, width, num_embeddings)` that sum to 1.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is.

    Returns:
        float32 logits `(batch, height, width, num_embeddings)`.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        num_embeddings,
        num_classes=None,
        filters=64,
        num_blocks=3,
        num_downsamplings=2,
        dropout=0.0,
        condition_channels=None,
        name="pixelcnn_plus_plus",
        **kwargs,
    ):
        sizes = num_classes, filters, num_blocks, num_downsamplings, dropout, condition_channels
        super().__init__(*sizes, name=name, **kwargs)
        self.embedding = code_embedding(num_embeddings, filters, self.dtype_policy)
        self.num_embeddings = self.embedding.input_dim
        self._make_layers(filters, self.num_embeddings, "logits")

    def call(self, codes, condition=None, training=None):
        """Logits of every position at once."""
        return self._outputs(map_vectors(self.embedding, codes), condition, training)

    def _vectors(self, codes):
        return vectors(self.embedding, codes)

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "num_embeddings": self.num_embeddings}
