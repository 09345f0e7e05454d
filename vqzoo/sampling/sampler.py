"""Ancestral sampling from any causal network, with cached activations or without."""

import keras
import numpy as np
from keras import ops

from vqzoo.sampling.compile import compiled
from vqzoo.sampling.logit_filters import keep_top_k, keep_top_p, with_temperature
from vqzoo.sampling.noise import gumbel_noise
from vqzoo.sampling.options import SamplingOptions


class Sampler:
    """Draws maps of codes from a causal network, compiled once for each shape.

    Cached activations make a map cost about as much as one pass of the network, after
    [Fast Generation for Convolutional Autoregressive Models](https://arxiv.org/abs/1704.06001).

    The network is known by its contract alone. `network(codes, condition)` gives the logits of
    every position; for one position at a time

        state = network.initial_state(batch_size, height, width, condition)
        state, columns = network.start_row(state, above)       # once a row
        state, logits = network.step(state, column, previous)  # once a position

    with the codes `above` `(width, batch)` of the row before, `columns` a nest of tensors with
    leading axis `width`, of which `column` is one entry, and the code `previous` `(batch,)` in
    raster order. Codes before the first one are -1.

    Args:
        network: such as `GatedPixelCNN`.
    """

    def __init__(self, network):
        self.network = network
        self._functions = {}

    def __call__(self, keys, condition, codes, mask, options=SamplingOptions()):
        """Draws the codes of one batch.

        Args:
            keys: uint32 `(batch, 2)`, from `noise.image_keys`.
            condition: as the network takes it: `None` or a dict of tensors.
            codes: int32 `(batch, height, width)`, known codes.
            mask: bool of that shape: where to draw a code; elsewhere the known one stays.
            options: `SamplingOptions`.

        Returns:
            int32 tensor `(batch, height, width)`.
        """
        temperature = np.full(len(codes), options.temperature, "float32")
        condition = {} if condition is None else condition
        if not options.incremental:
            return self._draw_naively(keys, condition, codes, mask, options)
        # Temperature is an input of the graph; filters are a part of it, so each has its own.
        name = ("draw", options.top_k, options.top_p)
        if name not in self._functions:
            self._functions[name] = compiled(
                lambda *arguments: draw_codes(self.network, options, *arguments), self.network
            )
        return self._functions[name](keys, temperature, condition, codes, mask)

    def _draw_naively(self, keys, condition, codes, mask, options):
        """One forward pass of the whole map for each position."""
        if "forward" not in self._functions:
            self._functions["forward"] = compiled(self.network, self.network, jit=False)
        # Any number will do where a code is drawn: a causal network does not see it before.
        codes = np.where(mask, 0, codes).astype("int32")
        temperature = np.full(len(codes), options.temperature, "float32")
        width = codes.shape[2]
        for row, column in np.ndindex(codes.shape[1:]):
            logits = self._functions["forward"](codes, condition or None)[:, row, column]
            noise = gumbel_noise(keys, row * width + column, logits.shape[-1])
            drawn = choose_codes(logits, noise, temperature, options)
            chosen = np.where(mask[:, row, column], drawn, codes[:, row, column])
            codes[:, row, column] = chosen
        return ops.convert_to_tensor(codes)


def choose_codes(logits, noise, temperature, options):
    """The codes that win after filtering: argmax of logits plus Gumbel noise, int32 `(batch,)`.

    Args:
        logits, noise: float32 `(batch, num_codes)`; the argmax is a draw from the softmax of the
            filtered logits (the Gumbel-Max trick, arXiv:1411.0030).
        temperature: float32 `(batch,)`.
        options: `SamplingOptions`; its `top_k` and `top_p` count.
    """
    logits = with_temperature(logits, temperature)
    if options.top_k is not None:
        logits = keep_top_k(logits, options.top_k)
    if options.top_p is not None:
        logits = keep_top_p(logits, options.top_p)
    return ops.cast(ops.argmax(logits + noise, axis=-1), "int32")


def draw_codes(network, options, keys, temperature, condition, codes, mask):
    """The graph of incremental sampling: a loop over rows, in it one over positions.

    Made of plain operations, fit for compiling and for export; arguments as for `Sampler`, with
    `temperature` float32 `(batch,)`; that of `options` is not read.
    """
    batch_size, height, width = ops.shape(codes)  # the batch is unknown while exporting

    def draw_row(carry, row):
        state, above = carry
        state, columns = network.start_row(state, above)
        # Of a whole row at once: generating it inside the inner loop would be many small steps.
        noise = gumbel_noise(keys, row["positions"], network.num_embeddings)

        def draw_position(carry, column):
            state, previous = carry
            state, logits = network.step(state, column["inputs"], previous)
            drawn = choose_codes(logits, column["noise"], temperature, options)
            chosen = ops.where(column["mask"], drawn, column["codes"])
            return (state, chosen), chosen

        columns = {"inputs": columns, "noise": noise, "mask": row["mask"], "codes": row["codes"]}
        (state, _), drawn = _scan(draw_position, (state, above[-1]), columns, row["codes"])
        return (state, drawn), drawn

    rows = {
        "positions": ops.reshape(ops.arange(height * width, dtype="int32"), (height, width)),
        "mask": ops.transpose(mask, (1, 2, 0)),
        "codes": ops.transpose(ops.cast(codes, "int32"), (1, 2, 0)),
    }
    state = network.initial_state(batch_size, height, width, condition)
    nothing = ops.full((width, batch_size), -1, dtype="int32")
    _, drawn = _scan(draw_row, (state, nothing), rows, rows["codes"])
    return ops.transpose(drawn, (2, 0, 1))


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
