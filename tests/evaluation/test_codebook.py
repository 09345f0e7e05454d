import numpy as np
import pytest

from vqzoo.evaluation.codebook import codebook_scores, usage_counts


def test_uniform_usage_of_half_the_codebook():
    codes = np.repeat(np.arange(8), 6).reshape(3, 4, 4)
    scores = codebook_scores(codes, 16)
    assert scores == {
        "num_embeddings": 16, "perplexity": pytest.approx(8.0), "usage": 0.5, "dead_codes": 8
    }


def test_perplexity_equals_definition():
    codes = np.array([[[0, 0, 0, 1]], [[1, 2, 0, 0]]])
    shares = np.array([5, 2, 1]) / 8
    expected = np.prod(shares**-shares)
    assert codebook_scores(codes, 4)["perplexity"] == pytest.approx(expected)
    assert usage_counts(codes, 4).tolist() == [5, 2, 1, 0]
