"""How causal networks read codes: by a table of vectors, one for each code."""

import keras
from keras import ops

from vqzoo.checks import checked_int, shown


def code_embedding(num_embeddings, filters, dtype):
    """A built Keras embedding, standard normal at first."""
    # Keras' default lies within 0.05 of 0: all codes would look alike to the first layer.
    unit_normal = keras.initializers.RandomNormal(stddev=1.0)
    sizes = checked_int(num_embeddings, "num_embeddings"), checked_int(filters, "filters")
    layer = keras.layers.Embedding(*sizes, unit_normal, name="embedding", dtype=dtype)
    layer.build((None, None, None))
    return layer


def map_vectors(embedding, codes):
    """Vectors `(batch, height, width, filters)` of a whole map.

    Args:
        embedding: from `code_embedding`.
        codes: int tensor `(batch, height, width)`, or float tensor `(batch, height, width,
            num_embeddings)` of weights that sum to 1, such as relaxed one-hot samples: they give
            the weighted mean of the vectors, through which gradients reach them.

    Raises:
        ValueError: if `codes` are neither.
    """
    dtype = keras.backend.standardize_dtype(codes.dtype)
    if len(codes.shape) == 3 and keras.backend.is_int_dtype(dtype):
        return embedding(codes)
    weights = len(codes.shape) == 4 and keras.backend.is_float_dtype(dtype)
    if not weights or codes.shape[-1] != embedding.input_dim:
        raise ValueError(
            "`codes` must be ints (batch, height, width), or floats (batch, height, width, "
            f"{embedding.input_dim}). Received: {shown(codes)}"
        )
    dtype = embedding.compute_dtype
    return ops.matmul(ops.cast(codes, dtype), ops.cast(embedding.embeddings, dtype))


def vectors(embedding, codes):
    """Vectors `(..., filters)` of int codes `(...)`, zeros for -1: what padding is to a window."""
    found = ops.take(embedding.embeddings, ops.maximum(codes, 0), axis=0)
    return ops.where((codes >= 0)[..., None], found, 0.0)
