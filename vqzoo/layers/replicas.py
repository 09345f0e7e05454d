"""Sums over the replicas of a distribution strategy."""

import keras
from keras import ops


def _context():
    """The replica context of a running `tf.distribute` strategy, None where nothing is to sum."""
    if keras.backend.backend() != "tensorflow":
        return None  # on JAX arrays are global, and sums over them already are
    import tensorflow as tf

    if not tf.distribute.in_cross_replica_context():
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            return context
    return None


def num_replicas():
    """Number of replicas that the current step runs on, an int; 1 outside of a strategy."""
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def sum_over_replicas(tensor):
    """The sum of `tensor` over all replicas, the same on each; the tensor itself if there is one.

    https://www.tensorflow.org/api_docs/python/tf/distribute/ReplicaContext under TensorFlow.
    Every replica has to call it, outside of conditions and loops: one that does not would leave
    the others waiting. A tensor of any shape.
    """
    context = _context()
    return tensor if context is None else context.all_reduce("SUM", tensor)


def draw_for_replica(draw, shape):
    """This replica's rows of random numbers that are drawn for the joined batch.

    Seeds are the same on every replica, so that each would draw the same numbers for its own rows.

    Args:
        draw: function from a shape to a tensor of it, the same on every replica.
        shape: of the wanted tensor; its first axis is the batch, as long on every replica.
    """
    context = _context()
    if context is None:
        return draw(shape)
    replicas = context.num_replicas_in_sync
    joined = ops.reshape(draw((replicas * shape[0], *shape[1:])), (replicas, *shape))
    return joined[context.replica_id_in_sync_group]


def take_from_joined_batch(rows, choose):
    """Picks rows of the joined batch: that of all replicas, one after the other.

    Args:
        rows: float tensor `(n, dim)`, this replica's part; `n` may differ between replicas.
        choose: function from the number of rows of the joined batch, an int or an int32 tensor,
            to the int32 indices `(m,)` of the wanted rows in it, the same on every replica.

    Returns:
        Tensor `(m, dim)`, bit for bit the same on every replica. Only these rows travel.
    """
    context, count = _context(), ops.shape(rows)[0]
    if context is None:
        return ops.take(rows, choose(count), axis=0)
    replica, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
    counts = ops.one_hot(replica, replicas, dtype="int32") * count  # all 0 but for this one's
    ends = ops.cumsum(context.all_reduce("SUM", counts))
    start = ends[replica] - count
    # Each wanted row lies on one replica; the others add zeros, so the sum is that row exactly.
    local = choose(ends[-1]) - start
    local = ops.where((local >= 0) & (local < count), local, count)  # count: the row of zeros
    with_zeros = ops.pad(rows, ((0, 1), (0, 0)))
    return context.all_reduce("SUM", ops.take(with_zeros, local, axis=0))
