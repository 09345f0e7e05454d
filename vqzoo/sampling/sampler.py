"""Ancestral sampling from any causal network, with cached activations or without."""

import keras
import numpy as np
from keras import ops

from vqzoo.sampling.compile import compiled
from vqzoo.sampling.draws import CodeDraws, PixelDraws
from vqzoo.sampling.options import SamplingOptions


class Sampler:
    """Draws maps of codes or pixels from a causal network, compiled once for each shape.

    Cached activations make a map cost about as much as one pass of the network, after
    [Fast Generation for Convolutional Autoregressive Models](https://arxiv.org/abs/1704.06001).

    The network is known by its contract alone. `network(values, condition)` gives the outputs of
    every position: logits of codes, or what the likelihood makes of a pixel; for one position at a
    time

        state = network.initial_state(batch_size, height, width, condition)
        state, columns = network.start_row(state, above)       # once a row
        state, outputs = network.step(state, column, previous)  # once a position

    with the values `above` `(width, batch, ...)` of the row before, `columns` a nest of tensors
    with leading axis `width`, of which `column` is one entry, and the value `previous`
    `(batch, ...)` in raster order. Values are codes, or the channels of a pixel on a last axis;
    before the first position they are -1.

    Args:
        network: such as `GatedPixelCNN`.
        likelihood: of a network over pixels, such as `DiscretizedLogisticMixture`; `None` for one
            over codes.
    """

    def __init__(self, network, likelihood=None):
        self.network, self.likelihood = network, likelihood
        self._functions = {}

    def _draws(self, options):
        if self.likelihood is not None:
            return PixelDraws(self.likelihood, options)
        return CodeDraws(self.network.num_embeddings, options)

    def __call__(self, keys, condition, known, mask, options=SamplingOptions()):
        """Draws the codes or pixels of one batch.

        Args:
            keys: uint32 `(batch, 2)`, from `noise.image_keys`.
            condition: as the network takes it: `None` or a dict of tensors.
            known: int32 `(batch, height, width)`, known codes, or `(batch, height, width,
                channels)`, known pixels.
            mask: bool `(batch, height, width)`: where to draw; elsewhere the known value stays.
            options: `SamplingOptions`; those of codes are refused for pixels.

        Returns:
            int32 tensor of the shape of `known`.
        """
        temperature = np.full(len(known), options.temperature, "float32")
        condition, draws = {} if condition is None else condition, self._draws(options)
        if not options.incremental:
            return self._draw_naively(draws, keys, temperature, condition, known, mask)
        # Temperature is an input of the graph; filters are a part of it, so each has its own.
        name = ("draw", options.top_k, options.top_p)
        if name not in self._functions:
            self._functions[name] = compiled(
                lambda *arguments: draw_map(self.network, draws, *arguments), self.network
            )
        return self._functions[name](keys, temperature, condition, known, mask)

    def _draw_naively(self, draws, keys, temperature, condition, known, mask):
        """One forward pass of the whole map for each position."""
        if "forward" not in self._functions:
            self._functions["forward"] = compiled(self.network, self.network, jit=False)
        # Any number will do where one is drawn: a causal network does not see it before.
        values = np.array(known, "int32")
        values[mask] = 0
        height, width = mask.shape[1:]
        for row, column in np.ndindex(height, width):
            outputs = self._functions["forward"](values, condition or None)[:, row, column]
            drawn = draws.choose(outputs, draws.noise(keys, row * width + column), temperature)
            here = mask[:, row, column]
            values[here, row, column] = ops.convert_to_numpy(drawn)[here]
        return ops.convert_to_tensor(values)


def draw_map(network, draws, keys, temperature, condition, known, mask):
    """The graph of incremental sampling: a loop over rows, in it one over positions.

    Made of plain operations, fit for compiling and for export; arguments as for `Sampler`, with
    `draws` a `CodeDraws` or `PixelDraws` and `temperature` float32 `(batch,)`; that of its options
    is not read.
    """
    batch_size, height, width, *channels = ops.shape(known)  # the batch is unknown while exporting

    def draw_row(carry, row):
        state, above = carry
        state, columns = network.start_row(state, above)
        # Of a whole row at once: generating it inside the inner loop would be many small steps.
        noise = draws.noise(keys, row["positions"])

        def draw_position(carry, column):
            state, previous = carry
            state, outputs = network.step(state, column["inputs"], previous)
            drawn = draws.choose(outputs, column["noise"], temperature)
            chosen = ops.where(column["mask"], drawn, column["known"])
            return (state, chosen), chosen

        columns = {"inputs": columns, "noise": noise, "mask": row["mask"], "known": row["known"]}
        (state, _), drawn = _scan(draw_position, (state, above[-1]), columns, row["known"])
        return (state, drawn), drawn

    # All channels of a pixel are drawn or none.
    mask = ops.reshape(mask, (batch_size, height, width, *[1] * len(channels)))
    axes = 1, 2, 0, *range(3, len(known.shape))
    rows = {
        "positions": ops.reshape(ops.arange(height * width, dtype="int32"), (height, width)),
        "mask": ops.transpose(mask, axes),
        "known": ops.transpose(ops.cast(known, "int32"), axes),
    }
    state = network.initial_state(batch_size, height, width, condition)
    nothing = ops.full((width, batch_size, *channels), -1, dtype="int32")
    _, drawn = _scan(draw_row, (state, nothing), rows, rows["known"])
    return ops.transpose(drawn, (2, 0, 1, *axes[3:]))


def _scan(step, carry, inputs, outputs):
    """Calls `carry, output = step(carry, entry)` for each entry of `inputs` along the first axis.

    `outputs` is a tensor of the shape and dtype of all outputs stacked. In place of
    `keras.ops.scan`, whose TensorFlow version wants outputs of the carry's structure.
    """
    # An output is written where its place equals the index: plain operations on both backends.
    places = ops.arange(outputs.shape[0], dtype="int32")
    places = ops.reshape(places, (-1,) + (1,) * (len(outputs.shape) - 1))

    def body(index, loop):
        carry, outputs = loop
        entry = keras.tree.map_structure(lambda x: ops.take(x, index, axis=0), inputs)
        carry, output = step(carry, entry)
        return carry, ops.where(places == index, output, outputs)

    return ops.fori_loop(0, outputs.shape[0], body, (carry, outputs))
