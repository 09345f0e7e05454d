import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from vqzoo.layers import VectorQuantizerEMA

pytestmark = pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
SHAPE = (2, 5, 3, 4)  # batch, height, width, dim: no two alike


def normal(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def state(layer):
    return {v.path.split("/")[-1]: numbers(v).copy() for v in layer.variables}


def run_batches(layer, batches, **fit):
    """Trains `layer` as `fit` does; `batches` `(steps, batch, height, width, dim)`."""
    features = keras.Input((None, None, batches.shape[-1]))
    model = keras.Model(features, layer(features)["vectors"])
    model.compile(keras.optimizers.SGD(0.0))
    rows = batches.reshape(-1, *batches.shape[2:])
    return model.fit(rows, batch_size=batches.shape[1], shuffle=False, verbose=0, **fit)


class SlowEMA:
    """The docstring's equations, code by code in float64."""

    def __init__(self, codebook, decay, epsilon):
        self.codebook, self.sums = codebook.astype("float64"), codebook.astype("float64")
        self.counts, self.decay, self.epsilon = np.ones(len(codebook)), decay, epsilon

    def step(self, features):
        rows = features.reshape(-1, features.shape[-1]).astype("float64")
        codes = np.array([np.argmin(((self.codebook - z) ** 2).sum(-1)) for z in rows])
        for i in range(len(self.codebook)):
            mine = rows[codes == i]
            self.counts[i] = self.decay * self.counts[i] + (1 - self.decay) * len(mine)
            self.sums[i] = self.decay * self.sums[i] + (1 - self.decay) * mine.sum(axis=0)
        total, size = self.counts.sum(), len(self.codebook)
        for i in set(codes):
            smoothed = (self.counts[i] + self.epsilon) / (total + size * self.epsilon) * total
            self.codebook[i] = self.sums[i] / smoothed
        return codes.reshape(features.shape[:-1])


def test_equals_definition_over_several_steps():
    layer = VectorQuantizerEMA(24, 4, commitment_cost=0.5, decay=0.8, epsilon=1e-2, seed=1)
    layer.build(SHAPE)
    layer.codebook.assign(normal((24, 4), seed=1))
    layer.sums.assign(layer.codebook)
    slow = SlowEMA(normal((24, 4), seed=1), decay=0.8, epsilon=1e-2)
    for step in range(6):
        features, before = normal(seed=10 + step), slow.codebook.copy()
        outputs, codes = layer(features, training=True), slow.step(features)
        np.testing.assert_array_equal(outputs["codes"], codes)
        np.testing.assert_allclose(outputs["vectors"], before[codes], rtol=1e-5, atol=1e-6)
        commitment = 0.5 * np.mean((features - before[codes]) ** 2)
        np.testing.assert_allclose(layer.losses, [commitment], rtol=1e-5)
        for name in ("codebook", "counts", "sums"):
            mine = numbers(getattr(layer, name))
            np.testing.assert_allclose(mine, getattr(slow, name), rtol=1e-5, atol=1e-6)
    assert layer.updates == 6


def test_shapes_and_dtypes_of_outputs_and_weights():
    layer = VectorQuantizerEMA(6, 4)
    outputs = layer(normal())
    assert outputs["codes"].shape == SHAPE[:-1] and outputs["vectors"].shape == SHAPE
    assert keras.backend.standardize_dtype(outputs["codes"].dtype) == "int32"
    shapes = {v.name: tuple(v.shape) for v in layer.weights}
    assert shapes == {"codebook": (6, 4), "counts": (6,), "sums": (6, 4), "updates": ()}
    assert not layer.trainable_weights
    spec = layer(keras.Input((None, 3, 4)))
    assert spec["codes"].shape == (None, None, 3) and spec["vectors"].shape == (None, None, 3, 4)


def test_vectors_are_exactly_those_of_the_codes():
    layer, features = VectorQuantizerEMA(6, 4), 1e3 * normal()  # z + (e - z) would be rounded
    outputs = layer(features)
    vectors = numbers(layer.codes_to_vectors(outputs["codes"]))
    np.testing.assert_array_equal(numbers(outputs["vectors"]), vectors)


def test_inference_changes_no_variable():
    layer = VectorQuantizerEMA(6, 4, codebook_init="kmeans", restart_threshold=2.0)
    layer(normal())
    before = state(layer)
    layer(normal(seed=1), training=False)
    layer(normal(seed=2))
    for name, value in state(layer).items():
        np.testing.assert_array_equal(value, before[name], name)


def test_frozen_layer_keeps_its_codebook_in_training():
    layer = VectorQuantizerEMA(6, 4, codebook_init="sample", restart_threshold=2.0)
    layer.trainable = False
    layer(normal())
    before = [numbers(v) for v in layer.weights]
    logs = run_batches(layer, normal((3, *SHAPE))).history
    assert logs["loss"][0] > 0, "training did not reach the layer"
    for variable, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(numbers(variable), value, variable.path)


def test_unused_codes_are_bit_identical_after_2000_steps():
    layer = VectorQuantizerEMA(32, 4, seed=3)
    layer.build(SHAPE)
    far = np.array([[50, 0, 0, 0]], "float32") + normal((32, 4), seed=4)
    start = np.where(np.arange(32)[:, None] % 2, far, normal((32, 4), seed=5))
    layer.codebook.assign(start)
    layer.sums.assign(start)
    run_batches(layer, np.tile(normal(), (2000, 1, 1, 1, 1)))
    assert layer.updates == 2000
    counts = numbers(layer.counts)
    unused = counts < 1.01 * 0.99**2000
    assert unused[1::2].all() and not unused.all()
    np.testing.assert_array_equal(numbers(layer.codebook)[unused], start[unused])
    assert (numbers(layer.codebook)[~unused] != start[~unused]).any(axis=1).all()


def test_restart_brings_every_code_into_use_within_200_steps():
    features = normal((32, 12, 8, 8))  # 3072 vectors, six for each code
    layer = VectorQuantizerEMA(512, 8, restart_threshold=1.0, seed=0)
    codes = numbers(layer(features)["codes"])
    assert len(np.unique(codes)) < 300, "the start uses most codes by itself: nothing to show"
    run_batches(layer, np.tile(features, (200, 1, 1, 1, 1)))
    codes = numbers(layer(features)["codes"])
    assert len(np.unique(codes)) == 512


def restarted(seed, steps=1):
    layer = VectorQuantizerEMA(12, 4, restart_threshold=0.995, seed=seed)
    for step in range(steps):
        layer(normal(seed=step), training=True)
    return layer


def test_restart_resets_vector_sum_and_count_together():
    layer = restarted(seed=2)
    counts = numbers(layer.counts)
    fresh = np.isclose(counts, 2 * 0.995)
    assert 2 <= fresh.sum() <= 10, "some codes are chosen and some are not"
    codebook, sums = numbers(layer.codebook), numbers(layer.sums)
    rows = {row.tobytes() for row in normal().reshape(-1, 4)}
    assert all(vector.tobytes() in rows for vector in codebook[fresh])
    assert len({vector.tobytes() for vector in codebook[fresh]}) == fresh.sum()
    np.testing.assert_allclose(sums[fresh], codebook[fresh] * 1.99, rtol=1e-6)
    assert not any(vector.tobytes() in rows for vector in codebook[~fresh])


def test_restart_depends_on_the_seed_alone():
    first, second, other = (restarted(seed, steps=3) for seed in (2, 2, 3))
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(numbers(a), numbers(b))
    assert np.abs(numbers(first.codebook) - numbers(other.codebook)).max() > 0.1


def test_sample_start_takes_different_vectors_of_the_first_batch():
    layer = VectorQuantizerEMA(20, 4, codebook_init="sample", seed=0)
    outputs = layer(normal(), training=True)
    rows = {row.tobytes() for row in normal().reshape(-1, 4)}
    used = numbers(outputs["vectors"]).reshape(-1, 4)
    assert {vector.tobytes() for vector in used} <= rows and len(np.unique(used, axis=0)) == 20
    before = numbers(layer.codebook)
    layer(normal(seed=1) + 100, training=True)
    moved = np.abs(numbers(layer.codebook) - before).max()
    assert moved < 60, "only the first batch starts the codebook"


def test_kmeans_start_finds_clusters_that_a_sample_misses():
    centres = 10 * normal((8, 4), seed=6)
    which = np.random.default_rng(7).integers(8, size=(4, 6, 5))
    features = centres[which] + 0.1 * normal((4, 6, 5, 4), seed=8)
    losses = {}
    for start in ("sample", "kmeans"):
        layer = VectorQuantizerEMA(8, 4, 1.0, codebook_init=start, seed=0)
        layer(features, training=True)
        losses[start] = float(layer.losses[0])
    assert losses["kmeans"] < losses["sample"] / 1.5


def test_kmeans_start_survives_a_high_threshold():
    """Codes that start from data count as restarted ones: no batch of 30 may undo the start."""
    layer = VectorQuantizerEMA(4, 4, codebook_init="kmeans", restart_threshold=3.0, seed=0)
    layer(normal(), training=True)
    rows = {row.tobytes() for row in normal().reshape(-1, 4)}
    assert not any(vector.tobytes() in rows for vector in numbers(layer.codebook))
    np.testing.assert_allclose(numbers(layer.counts).sum(), 0.99 * 4 * 6 + 0.01 * 30, rtol=1e-6)


def test_fewer_vectors_than_codes():
    layer = VectorQuantizerEMA(64, 4, codebook_init="kmeans", restart_threshold=1.0, seed=0)
    for _ in range(3):
        layer(normal((1, 2, 3, 4)), training=True)
    assert all(np.isfinite(numbers(v)).all() for v in layer.variables)


@pytest.mark.parametrize("training", [True, False])
def test_what_metrics_ask_for_is_that_of_the_last_call(training):
    layer = VectorQuantizerEMA(4, 1)
    layer.build((None, None, None, 1))
    layer.codebook.assign([[0.0], [10.0], [20.0], [30.0]])
    layer(normal((2, 2, 2, 1)))
    layer(np.array([1, 0, 0, 10, 10, 22, 0, 0], "float32").reshape(2, 2, 2, 1), training=training)
    np.testing.assert_array_equal(layer.seen["counts"], [5, 2, 1, 0])
    assert float(layer.seen["commitment"]) == pytest.approx((1 + 4) / 8)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_codebook_distances_and_averages_in_float32(policy):
    layer = VectorQuantizerEMA(512, 4, codebook_init="sample", dtype=policy, seed=0)
    features = normal((4, 16, 16, 4))
    layer(features, training=True)
    assert {v.dtype for v in layer.weights} == {"float32", layer.updates.dtype}
    outputs = layer(features)
    half = policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(outputs["vectors"].dtype) == half
    assert keras.backend.standardize_dtype(layer.losses[0].dtype) == "float32"
    rounded = numbers(ops.cast(ops.cast(features, half), "float32")).reshape(-1, 4)
    codebook = numbers(layer.codebook).astype("float64")
    distances = ((rounded[:, None].astype("float64") - codebook) ** 2).sum(-1)
    np.testing.assert_array_equal(np.ravel(outputs["codes"]), distances.argmin(-1))
    lookup = layer.codes_to_vectors(outputs["codes"])
    assert keras.backend.standardize_dtype(lookup.dtype) == "float32"
    assert np.all(numbers(outputs["vectors"] == ops.cast(lookup, half)))


def test_config_returns_the_arguments_before_and_after_building():
    arguments = {
        "num_embeddings": 6,
        "embedding_dim": 4,
        "commitment_cost": 0.5,
        "decay": 0.9,
        "epsilon": 1e-3,
        "codebook_init": "sample",
        "restart_threshold": 0.5,
        "seed": None,
    }
    layer = VectorQuantizerEMA(**arguments)
    config = layer.get_config()
    assert {name: config[name] for name in arguments} == arguments
    layer(normal(), training=True)
    assert layer.get_config() == config
    assert VectorQuantizerEMA.from_config(config).get_config() == config


RELOAD = """
import sys
import keras, numpy as np
import vqzoo.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
features = np.load(sys.argv[1] + "/features.npy")
outputs = model.predict(features, verbose=0)
np.savez(sys.argv[1] + "/outputs.npz", **outputs)
model.layers[-1](features, training=True)
codebook = keras.ops.convert_to_numpy(model.layers[-1].codebook)
np.save(sys.argv[1] + "/codebook.npy", codebook)
"""


def test_a_fresh_process_reloads_the_model_and_goes_on_as_this_one(tmp_path):
    features = keras.Input((None, None, 4))
    layer = VectorQuantizerEMA(12, 4, codebook_init="kmeans", restart_threshold=1.5, seed=4)
    model = keras.Model(features, layer(features))
    layer(normal(), training=True)
    np.save(tmp_path / "features.npy", normal(seed=1))
    model.save(tmp_path / "model.keras")
    subprocess.run([sys.executable, "-c", RELOAD, tmp_path], check=True)
    expected = model.predict(normal(seed=1), verbose=0)
    outputs = np.load(tmp_path / "outputs.npz")
    np.testing.assert_array_equal(outputs["codes"], expected["codes"])
    np.testing.assert_array_equal(outputs["vectors"], expected["vectors"])
    layer(normal(seed=1), training=True)  # the count of updates was saved: same draws, no new start
    codebook = np.load(tmp_path / "codebook.npy")
    np.testing.assert_allclose(codebook, numbers(layer.codebook), rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"num_embeddings": 0}, "num_embeddings"),
        ({"embedding_dim": 2.5}, "embedding_dim"),
        ({"commitment_cost": -1}, "commitment_cost"),
        ({"decay": 1}, "decay"),
        ({"epsilon": 0}, "epsilon"),
        ({"codebook_init": "pca"}, "codebook_init"),
        ({"restart_threshold": 0}, "restart_threshold"),
    ],
)
def test_wrong_arguments_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}`.*Received"):
        VectorQuantizerEMA(**{"num_embeddings": 6, "embedding_dim": 4, **arguments})


@pytest.mark.parametrize("shape", [(2, 5, 3, 5), (2, 15, 4)])
def test_wrong_features_are_an_error_before_and_after_building(shape):
    layer = VectorQuantizerEMA(6, 4)
    for _ in range(2):
        with pytest.raises(ValueError, match="`features`.*Received"):
            layer(normal(shape))
        layer(normal())
