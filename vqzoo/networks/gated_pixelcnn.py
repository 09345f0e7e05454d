"""Gated PixelCNN: an autoregressive network over maps of codes."""

import keras
from keras import ops

from vqzoo.checks import checked_int
from vqzoo.layers.causal_stacks import checked_window
from vqzoo.layers.gated_masked_conv import GatedMaskedConv
from vqzoo.networks.code_vectors import map_vectors
from vqzoo.networks.stacked_network import StackedNetwork, dense, parts


@keras.saving.register_keras_serializable(package="vqzoo")
class GatedPixelCNN(StackedNetwork):
    """Logits of each code given those before it in raster order.

    Section 2 of
    [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328): an
    embedding of the codes, a `GatedMaskedConv` that hides the current code, `num_layers - 1`
    residual ones that do not, and two dense layers on the horizontal stack. All weights exist
    from construction on. Any height and width will do.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding.
        num_layers: int, gated layers, the first included.
        kernel_size: odd int, window of the layers after the first.
        first_kernel_size: odd int, window of the first layer.
        head_filters: int, width of the dense layer before the logits.
        condition_channels: int or `None`, channels of a feature map to condition on.
        dropout: float in [0, 1), see `GatedMaskedConv`.
        name: str.

    Call arguments:
        codes: int tensor `(batch, height, width)` in `[0, num_embeddings)`, or float weights of the
            codes `(batch, height, width, num_embeddings)` that sum to 1.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is.

    Returns:
        float32 logits `(batch, height, width, num_embeddings)`.

    Raises:
        ValueError: if `num_embeddings` or `num_layers` is below 1, and as `GatedMaskedConv` does.
    """

    def __init__(
        self,
        num_embeddings,
        num_classes=None,
        filters=64,
        num_layers=12,
        kernel_size=3,
        first_kernel_size=7,
        head_filters=512,
        condition_channels=None,
        dropout=0.0,
        name="gated_pixelcnn",
        **kwargs,
    ):
        conditions = {"num_classes": num_classes, "condition_channels": condition_channels}
        super().__init__(
            num_embeddings, filters=filters, dropout=dropout, name=name, **conditions, **kwargs
        )
        self.num_layers = checked_int(num_layers, "num_layers")
        self.head_filters = checked_int(head_filters, "head_filters")
        self.kernel_size = checked_window(kernel_size, "kernel_size")
        self.first_kernel_size = checked_window(first_kernel_size, "first_kernel_size")
        self.gated_layers = []
        for index in range(num_layers):
            size, place = first_kernel_size, {"first": True, "residual": False}
            if index:
                size, place = kernel_size, {}
            self.gated_layers.append(self._gated(GatedMaskedConv, index, size, **place))
        self.head = keras.layers.Dense(
            head_filters, activation="relu", name="head", dtype=self.dtype_policy
        )
        # Here and not in `build`: a model whose `build` was not called before loading would keep
        # its random weights and say nothing.
        self.head.build((None, filters))
        self.to_logits = self._logits_layer(head_filters)
        self.built = True

    def call(self, codes, condition=None, training=None):
        """Logits of every position at once."""
        labels, features = parts(condition)
        # Both stacks begin with the codes themselves; the first layer hides the current one.
        stacks = (map_vectors(self.embedding, codes),) * 2
        for layer in self.gated_layers:
            stacks = layer(stacks, labels=labels, features=features, training=training)
        # The horizontal stack has heard the vertical one in each layer: it knows all of the past.
        return self.to_logits(self.head(stacks[1]))

    def _step_logits(self, x):
        return dense(self.to_logits, ops.relu(dense(self.head, x)))

    def get_config(self):
        """Constructor arguments."""
        arguments = ("num_layers", "kernel_size", "first_kernel_size", "head_filters")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
