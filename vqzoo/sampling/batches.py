"""Splitting work into batches of equal size."""


def even_batches(total, batch_size):
    """Slices of almost equal length, none longer than `batch_size`, that cover `range(total)`.

    Few distinct lengths keep compiled functions few: 100 images by at most 64 are two times 50.

    Args:
        total: int, 0 or more.
        batch_size: int, 1 or more.

    Returns:
        list of slices, in order.
    """
    count = -(-total // batch_size)
    size = -(-total // count) if count else 0
    return [slice(i * size, min((i + 1) * size, total)) for i in range(count)]
