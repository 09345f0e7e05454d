"""PixelSNAIL: causal convolutions and causal attention over maps of codes."""

import keras
from keras import ops

from vqzoo.checks import check_ints, checked_int, checked_sizes
from vqzoo.layers.causal_attention_block import CausalAttentionBlock
from vqzoo.layers.causal_residual_block import CausalResidualBlock
from vqzoo.layers.gated_conv_block import GatedConvBlock
from vqzoo.layers.gated_masked_conv import GatedMaskedConv
from vqzoo.networks.code_vectors import map_vectors
from vqzoo.networks.stacked_network import StackedNetwork, dense, parts


@keras.saving.register_keras_serializable(package="vqzoo")
class PixelSNAIL(StackedNetwork):
    """Logits of each code given those before it in raster order, near and far.

    [PixelSNAIL](https://arxiv.org/abs/1712.09763) as the prior of VQ-VAE-2 has it (Section 3.2 of
    arXiv:1906.00446): an embedding of the codes, a `GatedMaskedConv` that hides the current code,
    `num_layers` residual blocks on its two stacks, attention after some of them, residual blocks
    of 1 x 1 convolutions, and the logits. Without attention a code depends on those within
    `(num_layers + 1) * (kernel_size // 2)` rows and columns, with no blind spot; with attention on
    all before it. All weights exist from construction on. Any height and width will do; memory of
    a call grows by the square of their product where there is attention.

    Args:
        num_embeddings: int, number of codes K.
        num_classes: int or `None`; a number makes the network conditional on a class.
        filters: int, channels of both stacks and of the codes' embedding ("hidden units").
        residual_filters: int, channels inside the residual blocks ("residual units").
        num_layers: int, causal residual blocks.
        kernel_size: odd int, window of all causal convolutions.
        attention_after: list of int, numbers 1..num_layers of the blocks after which there is
            attention, such as `[5, 10, 15, 20]`; empty for none.
        num_heads, key_dim, value_dim: int, see `CausalSelfAttention`. Sampling reads the keys and
            values of all positions before at each one: large heads cost time and memory.
        output_blocks: int, blocks of 1 x 1 convolutions before the logits.
        condition_channels: int or `None`, channels of a feature map to condition on.
        dropout: float in [0, 1), inside all blocks and on the attention's scores.
        name: str.

    Call arguments:
        codes: int tensor `(batch, height, width)` in `[0, num_embeddings)`, or float weights of the
            codes `(batch, height, width, num_embeddings)` that sum to 1.
        condition: `None`, or a dict with `labels`, int `(batch,)`, if `num_classes` is given, and
            `features`, float `(batch, height, width, condition_channels)`, if that is. Class and
            features enter every causal block.

    Returns:
        float32 logits `(batch, height, width, num_embeddings)`.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        num_embeddings,
        num_classes=None,
        filters=256,
        residual_filters=256,
        num_layers=20,
        kernel_size=5,
        attention_after=(5, 10, 15, 20),
        num_heads=8,
        key_dim=16,
        value_dim=16,
        output_blocks=0,
        condition_channels=None,
        dropout=0.0,
        name="pixel_snail",
        **kwargs,
    ):
        conditions = {"num_classes": num_classes, "condition_channels": condition_channels}
        super().__init__(
            num_embeddings, filters=filters, dropout=dropout, name=name, **conditions, **kwargs
        )
        check_ints(num_heads=num_heads, key_dim=key_dim, value_dim=value_dim)
        self.residual_filters, self.kernel_size = residual_filters, kernel_size
        self.num_layers = checked_int(num_layers, "num_layers")
        self.attention_after = _checked_places(attention_after, num_layers)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim
        self.output_blocks = checked_int(output_blocks, "output_blocks", 0)
        self._make_layers()
        self.built = True

    def _make_layers(self):
        # Built here and not in `build`: a model whose `build` was not called before loading would
        # keep its random weights and say nothing.
        hides_current = {"first": True, "residual": False}
        self.gated_layers = [self._gated(GatedMaskedConv, 0, self.kernel_size, **hides_current)]
        for index in range(1, self.num_layers + 1):
            sizes = self.residual_filters, self.kernel_size
            self.gated_layers.append(self._gated(CausalResidualBlock, index, *sizes))
        common = {"dropout": self.dropout, "dtype": self.dtype_policy}
        sizes = self.filters, self.residual_filters
        heads = self.num_heads, self.key_dim, self.value_dim
        self.attention_layers = [
            CausalAttentionBlock(*sizes, *heads, name=f"attention_{place}", **common)
            for place in self.attention_after
        ]
        self.output_layers = [
            GatedConvBlock(*sizes, 1, name=f"output_{index}", **common)
            for index in range(self.output_blocks)
        ]
        for layer in self.attention_layers + self.output_layers:
            layer.build((None, None, None, self.filters))
        self.to_logits = self._logits_layer(self.filters)

    def call(self, codes, condition=None, training=None):
        """Logits of every position at once."""
        labels, features = parts(condition)
        vectors = map_vectors(self.embedding, codes)
        # Both stacks begin with the codes themselves; the first layer hides the current one.
        stacks = (vectors, vectors)
        for index, layer in enumerate(self.gated_layers):
            stacks = layer(stacks, labels=labels, features=features, training=training)
            if index in self.attention_after:
                attention = self.attention_layers[self.attention_after.index(index)]
                stacks = stacks[0], attention(stacks[1], vectors, training=training)
        x = stacks[1]
        for layer in self.output_layers:
            x = layer(x, training=training)
        return self.to_logits(ops.elu(x))

    def initial_state(self, batch_size, height, width, condition=None):
        """The caches before the first row: those of all stacks, and the attention's memory."""
        state = super().initial_state(batch_size, height, width, condition)
        memory = [layer.no_memory(height, width, batch_size) for layer in self.attention_layers]
        return {**state, "memory": memory}

    def _after(self, index, state, x, column, previous):
        """Attention after some of the layers; the code before reaches its memory only now."""
        if index not in self.attention_after:
            return state, x
        which, memory = self.attention_after.index(index), list(state["memory"])
        memory[which], x = self.attention_layers[which].step(
            x, self._vectors(previous), memory[which], state["row"], column
        )
        return {**state, "memory": memory}, x

    def _step_logits(self, x):
        for layer in self.output_layers:
            x = layer.step(x)
        return dense(self.to_logits, ops.elu(x))

    def get_config(self):
        """Constructor arguments."""
        arguments = ("residual_filters", "num_layers", "kernel_size", "attention_after")
        arguments += ("num_heads", "key_dim", "value_dim", "output_blocks")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def _checked_places(places, num_layers):
    """The numbers of blocks as a list, or a ValueError."""
    right = f"a list of rising numbers of blocks, at most {num_layers}"
    places = list(checked_sizes(places, "attention_after", right))
    if places != sorted(set(places)) or places[-1:] > [num_layers]:
        raise ValueError(f"`attention_after` must be {right}. Received: {places}")
    return places
