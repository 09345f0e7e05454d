import keras
import numpy as np
import pytest
from keras import ops

from vqzoo.layers import nearest_code as module


def slow_nearest_code(vectors, codebook):
    """One vector at a time; differences, not products, in float64."""
    vectors = vectors.astype("float64")
    return np.array([np.argmin(((codebook - v) ** 2).sum(axis=-1)) for v in vectors])


def random_case(num_vectors, num_embeddings=11, dim=3, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(num_vectors, dim)).astype("float32")
    return vectors, rng.normal(size=(num_embeddings, dim)).astype("float32")


@pytest.mark.parametrize("num_vectors", [1, 4, 5, 8, 9, 23])
def test_equals_definition_whatever_is_left_for_the_last_block(num_vectors, monkeypatch):
    vectors, codebook = random_case(num_vectors)
    monkeypatch.setattr(module, "BLOCK_DISTANCES", 4 * len(codebook) + 3)  # 4 rows at a time
    codes = ops.convert_to_numpy(module.nearest_code(vectors, codebook))
    assert codes.dtype == "int32"
    np.testing.assert_array_equal(codes, slow_nearest_code(vectors, codebook))


def test_ties_go_to_the_lowest_index(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_DISTANCES", 9 * 20)  # several blocks
    vectors, codebook = random_case(30, num_embeddings=3)
    thrice = np.concatenate([codebook, codebook, codebook])  # each code again as k + 3 and k + 6
    codes = ops.convert_to_numpy(module.nearest_code(vectors, thrice))
    np.testing.assert_array_equal(codes, slow_nearest_code(vectors, codebook))
    assert set(codes) == {0, 1, 2}


def test_a_block_smaller_than_the_codebook_still_works(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_DISTANCES", 1)  # one row at a time
    vectors, codebook = random_case(6)
    codes = ops.convert_to_numpy(module.nearest_code(vectors, codebook))
    np.testing.assert_array_equal(codes, slow_nearest_code(vectors, codebook))


def test_far_from_the_origin_the_own_norm_does_not_drown_the_difference():
    vectors, codebook = random_case(50, dim=8)
    vectors[:, 0] += 300  # |z|^2 = 9e4 has a float32 spacing of 0.008, as large as differences
    codes = ops.convert_to_numpy(module.nearest_code(vectors, codebook))
    np.testing.assert_array_equal(codes, slow_nearest_code(vectors, codebook))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_inputs_are_compared_in_float32(dtype):
    vectors, codebook = random_case(200, num_embeddings=64, dim=16)
    vectors = ops.cast(vectors, dtype)
    codes = ops.convert_to_numpy(module.nearest_code(vectors, codebook))
    exact = ops.convert_to_numpy(ops.cast(vectors, "float32"))
    np.testing.assert_array_equal(codes, slow_nearest_code(exact, codebook))


def test_unknown_number_of_vectors_and_none_at_all(monkeypatch):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("shapes are static on this backend")
    vectors, codebook = random_case(23)
    monkeypatch.setattr(module, "BLOCK_DISTANCES", 4 * len(codebook))
    signature = [tf.TensorSpec((None, 3)), tf.TensorSpec((11, 3))]
    search = tf.function(module.nearest_code, input_signature=signature)
    for count in (23, 7, 4, 1, 0):
        expected = slow_nearest_code(vectors[:count], codebook)
        np.testing.assert_array_equal(search(vectors[:count], codebook), expected)


def test_never_holds_all_distances():
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("reads the sizes of the traced graph's tensors")
    num_vectors, num_embeddings = 2**14, 2**12
    search = tf.function(module.nearest_code)
    traced = search.get_concrete_function(
        tf.TensorSpec((num_vectors, 8)), tf.TensorSpec((num_embeddings, 8))
    )
    graphs = [traced.graph, *(f.graph for f in traced.graph._functions.values())]
    shapes = [t.shape for g in graphs for op in g.get_operations() for t in op.outputs]
    largest = max(shape.num_elements() or 0 for shape in shapes if shape.rank is not None)
    assert module.BLOCK_DISTANCES <= largest < num_vectors * num_embeddings / 8
