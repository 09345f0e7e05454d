import keras
import pytest

from vqzoo.training.precision import precision


def test_a_model_computes_in_what_its_stage_says():
    before = keras.config.dtype_policy().name
    with precision({"precision": "mixed_bfloat16"}):
        dense = keras.layers.Dense(3)
        dense.build((None, 2))
    assert dense.compute_dtype == "bfloat16" and dense.kernel.dtype == "float32"
    assert keras.config.dtype_policy().name == before
    with precision({"steps": 3}):
        assert keras.config.dtype_policy().name == before


def test_the_policy_comes_back_after_an_error():
    before = keras.config.dtype_policy().name
    with pytest.raises(KeyError), precision({"precision": "mixed_bfloat16"}):
        raise KeyError
    assert keras.config.dtype_policy().name == before


def test_other_words_are_refused():
    with pytest.raises(ValueError, match="`precision` must be .*mixed_bfloat16.*Received: 'half'"):
        with precision({"precision": "half"}):
            pass
