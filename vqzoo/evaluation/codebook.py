"""How much of a codebook a data source uses."""

import numpy as np


def usage_counts(codes, num_embeddings):
    """How often each code occurs: int64 `(num_embeddings,)`, for int codes of any shape."""
    return np.bincount(np.reshape(codes, -1), minlength=num_embeddings)


def codebook_scores(codes, num_embeddings):
    """Perplexity and usage over a whole data source, not a mean over batches.

    https://en.wikipedia.org/wiki/Perplexity of the distribution of codes, in no unit.

    Args:
        codes: int array `(images, h, w)`, one level.
        num_embeddings: int, size K of its codebook.

    Returns:
        dict: `num_embeddings`; `perplexity`, exp(-sum p ln p) of the share p of each code, in
        1..K; `usage`, the share of the codebook that occurs at all; `dead_codes`, the number of
        codes that do not.
    """
    counts = usage_counts(codes, num_embeddings)
    shares = counts[counts > 0] / counts.sum()
    return {
        "num_embeddings": num_embeddings,
        "perplexity": float(np.exp(-np.sum(shares * np.log(shares)))),
        "usage": float(np.mean(counts > 0)),
        "dead_codes": int(np.sum(counts == 0)),
    }
