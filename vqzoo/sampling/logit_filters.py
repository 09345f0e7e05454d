"""Functions from logits to logits that change what is drawn: temperature, top-k, top-p."""

from keras import ops


def with_temperature(logits, temperature):
    """Logits `(..., num_codes)` divided by `temperature`, a scalar or of the leading shape."""
    return logits / ops.expand_dims(ops.cast(temperature, logits.dtype), -1)


def keep_top_k(logits, top_k):
    """Sets all but the `top_k` highest logits to minus infinity.

    After [Hierarchical Neural Story Generation](https://arxiv.org/abs/1805.04833).

    Args:
        logits: float tensor `(..., num_codes)`.
        top_k: int, 1 or more. Of equal logits the lower indices come first.
    """
    descending = -ops.sort(-logits, axis=-1)
    count = ops.full_like(logits[..., :1], min(top_k, logits.shape[-1]), dtype="int32")
    return _keep_highest(logits, descending, count)


def keep_top_p(logits, top_p):
    """Sets all but the fewest highest logits that reach probability `top_p` to minus infinity.

    [The Curious Case of Neural Text Degeneration](https://arxiv.org/abs/1904.09751), Section 3.1.

    Args:
        logits: float tensor `(..., num_codes)`.
        top_p: float in (0, 1]. Of equal logits the lower indices come first; one always stays.
    """
    descending = -ops.sort(-logits, axis=-1)
    probabilities = ops.softmax(descending, axis=-1)
    # The code that crosses `top_p` stays: it counts what lies before each, not up to it.
    before = ops.cumsum(probabilities, axis=-1) - probabilities
    count = ops.sum(ops.cast(before < top_p, "int32"), axis=-1, keepdims=True)
    return _keep_highest(logits, descending, count)


def _keep_highest(logits, descending, count):
    """Keeps `count` logits of each row, `descending` being those sorted."""
    # Comparing with the last logit that stays needs no scatter back from sorted order. Codes that
    # tie with it share the room that is left, so that exactly `count` stay.
    last = ops.take_along_axis(descending, count - 1, axis=-1)
    above, level = logits > last, ops.cast(logits == last, "int32")
    room = count - ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True)
    among_the_first = (level > 0) & (ops.cumsum(level, axis=-1) <= room)
    return ops.where(above | among_the_first, logits, -float("inf"))
