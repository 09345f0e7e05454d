"""Random rows of a batch as a pure function of a seed and a step."""

from keras import ops


def draw_rows(seed, step, num_draws, num_rows):
    """Indices of random rows, distinct as long as there are enough rows.

    Stratified sampling, https://en.wikipedia.org/wiki/Stratified_sampling, by a counter-based hash.
    The rows are cut into `num_draws` runs of almost equal length and one row is drawn from each;
    the runs begin at a random row. So draws spread over all images of a batch, need no sort, and
    every row is equally likely. With fewer rows than draws, rows come up several times.

    Args:
        seed: int, of which the lowest 32 bits count.
        step: int or integer tensor; another one gives other rows.
        num_draws: int, or int32 tensor where shapes may be dynamic, at least 1.
        num_rows: int or int32 tensor, at least 1.

    Returns:
        int32 tensor `(num_draws,)` in `0 .. num_rows - 1`, a function of the arguments alone.
    """
    draws = ops.arange(num_draws, dtype="int32")
    uniform = _uniform(seed, step, draws)
    num_draws, num_rows = ops.cast(num_draws, "int32"), ops.cast(num_rows, "int32")
    runs = ops.minimum(num_draws, num_rows)
    run = draws % runs
    length, longer = num_rows // runs, num_rows % runs  # the first `longer` runs have one row more
    start = run * length + ops.minimum(run, longer)
    length = length + ops.cast(run < longer, "int32")
    inside = ops.cast(uniform * ops.cast(length, "float32"), "int32")
    first = ops.cast(_uniform(seed, step, -1) * ops.cast(num_rows, "float32"), "int32")
    # uniform * length can round up to length itself, which belongs to the next run.
    return (first + start + ops.minimum(inside, length - 1)) % num_rows


def _uniform(seed, step, positions):
    """Float32 numbers in [0, 1) for int32 positions: counters through a mixing function."""
    # Mixed in one after the other: seed 1 at step 2 has nothing to do with seed 2 at step 1.
    word = _mix(_word(seed % 2**32))
    word = _mix(ops.bitwise_xor(word, _word(step)))
    word = _mix(ops.bitwise_xor(word, _word(positions)))
    # 24 bits are what a float32 holds exactly: more would round up to 1.
    return ops.cast(ops.right_shift(word, _word(8)), "float32") * 2.0**-24


def _mix(word):
    """MurmurHash3's finalizer: each input bit flips each output bit half of the time."""
    # Enough to spread draws over a batch; samples, which show more, have Threefry's noise.
    word = ops.bitwise_xor(word, ops.right_shift(word, _word(16))) * _word(0x85EBCA6B)
    word = ops.bitwise_xor(word, ops.right_shift(word, _word(13))) * _word(0xC2B2AE35)
    return ops.bitwise_xor(word, ops.right_shift(word, _word(16)))


def _word(value):
    if isinstance(value, int):
        return ops.convert_to_tensor(value % 2**32, dtype="uint32")
    return ops.cast(value, "uint32")
