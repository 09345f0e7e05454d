import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from vqzoo.layers import VectorQuantizer, VectorQuantizerEMA

pytestmark = pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
SHAPE = (2, 5, 3, 4)


def normal(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def quantizer(**options):
    layer = VectorQuantizer(6, 4, **options)
    layer.build(SHAPE)
    layer.codebook.assign(normal((6, 4), seed=1))
    return layer


def layer_gradients(layer, features, loss_of):
    """Of `loss_of(outputs, losses)`, with respect to features and codebook."""
    layer(features)  # a new one has no codebook yet

    def loss(features, codebook):
        state = [(layer.codebook, codebook)]
        with keras.StatelessScope(state_mapping=state, collect_losses=True) as scope:
            return loss_of(layer(features), scope.losses)

    return gradients(loss, features, ops.convert_to_numpy(layer.codebook))


def test_codes_vectors_and_losses_equal_their_definition():
    layer, features = quantizer(commitment_cost=0.5, codebook_cost=2.0), normal()
    codebook = normal((6, 4), seed=1)
    outputs = layer(features)
    for index in np.ndindex(SHAPE[:-1]):
        nearest = np.argmin(((features[index] - codebook) ** 2).sum(-1))
        assert outputs["codes"][index] == nearest
        np.testing.assert_array_equal(outputs["vectors"][index], codebook[nearest])
    squares = np.mean((features - np.asarray(outputs["vectors"])) ** 2)
    np.testing.assert_allclose(layer.losses, [0.5 * squares, 2.0 * squares], rtol=1e-5)


@pytest.mark.parametrize("layer_class", [VectorQuantizer, VectorQuantizerEMA])
def test_gradient_passes_straight_through_and_not_into_the_codebook(layer_class):
    layer, upstream = layer_class(6, 4), normal(seed=2)
    to_features, to_codebook = layer_gradients(
        layer, normal(), lambda outputs, _: ops.sum(outputs["vectors"] * upstream)
    )
    np.testing.assert_array_equal(to_features, upstream)
    assert not np.any(to_codebook)


def test_commitment_moves_the_features_alone():
    layer, features = quantizer(commitment_cost=0.5), normal()
    to_features, to_codebook = layer_gradients(layer, features, lambda _, losses: losses[0])
    distances = features - np.asarray(layer(features)["vectors"])
    np.testing.assert_allclose(to_features, 0.5 * 2 * distances / features.size, rtol=1e-5)
    assert not np.any(to_codebook)


def test_codebook_loss_moves_the_codebook_alone():
    layer, features = quantizer(codebook_cost=2.0), normal()
    to_features, to_codebook = layer_gradients(layer, features, lambda _, losses: losses[1])
    assert not np.any(to_features)
    codes, codebook = np.ravel(layer(features)["codes"]), normal((6, 4), seed=1)
    for i in range(6):
        mine = features.reshape(-1, 4)[codes == i]
        expected = 2.0 * 2 * (codebook[i] - mine).sum(axis=0) / features.size
        np.testing.assert_allclose(to_codebook[i], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("trainable", [True, False])
def test_fit_moves_the_chosen_codes_if_any(trainable):
    layer = quantizer(trainable_codebook=trainable)
    features = keras.Input((None, None, 4))
    model = keras.Model(features, layer(features)["vectors"])
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(normal(), epochs=3, verbose=0)
    layer(normal())
    moved = np.any(ops.convert_to_numpy(layer.codebook) != normal((6, 4), seed=1), axis=1)
    assert moved.any() == trainable and len(layer.losses) == 1 + trainable


def test_inference_changes_no_variable():
    layer = quantizer()
    before = [ops.convert_to_numpy(v).copy() for v in layer.variables]
    layer(normal())
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    layer = VectorQuantizer(6, 4, dtype=policy)
    outputs = layer(normal())
    compute = policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(outputs["vectors"].dtype) == compute
    dtypes = {keras.backend.standardize_dtype(loss.dtype) for loss in layer.losses}
    assert dtypes == {"float32"} and layer.codebook.dtype == "float32"


RELOAD = """
import sys
import keras, numpy as np
import vqzoo.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
np.savez(sys.argv[1] + "/outputs.npz", **model.predict(np.load(sys.argv[1] + "/x.npy"), verbose=0))
"""


def test_a_fresh_process_reloads_the_model(tmp_path):
    features = keras.Input((None, None, 4))
    model = keras.Model(features, VectorQuantizer(6, 4, 0.5, 2.0)(features))
    np.save(tmp_path / "x.npy", normal())
    model.save(tmp_path / "model.keras")
    subprocess.run([sys.executable, "-c", RELOAD, tmp_path], check=True)
    outputs, expected = np.load(tmp_path / "outputs.npz"), model.predict(normal(), verbose=0)
    np.testing.assert_array_equal(outputs["codes"], expected["codes"])
    np.testing.assert_array_equal(outputs["vectors"], expected["vectors"])


def test_config_returns_the_arguments_before_and_after_building():
    layer = VectorQuantizer(6, 4, 0.5, 2.0, trainable_codebook=False)
    config = layer.get_config()
    names = ("num_embeddings", "embedding_dim", "commitment_cost", "codebook_cost")
    assert [config[name] for name in names] == [6, 4, 0.5, 2.0]
    assert config["trainable_codebook"] is False
    layer(normal())
    assert layer.get_config() == config
    assert VectorQuantizer.from_config(config).get_config() == config


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="`codebook_cost`.*Received"):
        VectorQuantizer(6, 4, codebook_cost=-1)
    with pytest.raises(ValueError, match="`num_embeddings`.*Received"):
        VectorQuantizer(0, 4)
    with pytest.raises(ValueError, match="`features`.*Received"):
        VectorQuantizer(6, 4)(normal((2, 5, 3, 5)))
