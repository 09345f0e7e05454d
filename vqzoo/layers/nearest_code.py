"""Nearest-code search in bounded memory."""

from keras import ops

BLOCK_DISTANCES = 2**21
"""Most distances held at once: 8 MiB of float32, which a CPU's cache can keep."""


def block_rows(num_embeddings):
    """How many vectors are compared with all codes at once: int, 1 or more.

    Args:
        num_embeddings: int, number of codes, each of which costs 4 bytes for each vector.
    """
    return max(1, BLOCK_DISTANCES // num_embeddings)


def nearest_code(vectors, codebook):
    """For every vector the index of its nearest code, the lowest one among equals.

    Equation 1 of arXiv:1711.00937, by one matrix product:
    `argmin_k |z - e_k|^2 = argmax_k (z . e_k - |e_k|^2 / 2)`: the vector's own norm changes
    nothing. The search runs over blocks of rows, so that no more than `BLOCK_DISTANCES` numbers
    (or one row's `num_embeddings`) exist at a time, never all `n * num_embeddings`.

    Args:
        vectors: float tensor `(n, embedding_dim)`; `n` may be unknown while tracing.
        codebook: float tensor `(num_embeddings, embedding_dim)`.

    Returns:
        int32 tensor `(n,)`. Computed in float32; has no gradient.
    """
    # Half precision would tie codes that differ, and choose others than float32 does.
    vectors = ops.stop_gradient(ops.cast(vectors, "float32"))
    codebook = ops.stop_gradient(ops.cast(codebook, "float32"))
    # The product itself subtracts |e|^2 / 2: one more column of the vectors, all ones.
    half_norms = ops.sum(ops.square(codebook), axis=-1, keepdims=True) / 2
    columns = ops.transpose(ops.concatenate([codebook, -half_norms], axis=-1))

    def search(block):
        scores = ops.matmul(ops.pad(block, ((0, 0), (0, 1)), constant_values=1.0), columns)
        return ops.top_k(scores, 1)[1][:, 0]  # of equals the lowest; Keras' argmax is far slower

    num_embeddings, dim = codebook.shape
    size = block_rows(num_embeddings)
    count = ops.shape(vectors)[0]
    if isinstance(count, int) and count <= size:
        return ops.cast(search(vectors), "int32")
    blocks = -(-count // size)
    # All blocks have to be of one size; what the rows of zeros find is cut off below.
    padded = ops.pad(vectors, ((0, blocks * size - count), (0, 0)))
    codes = ops.map(search, ops.reshape(padded, (blocks, size, dim)))
    return ops.cast(ops.reshape(codes, (-1,))[:count], "int32")
