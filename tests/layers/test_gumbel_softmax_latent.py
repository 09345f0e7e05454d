import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients
from vqzoo.layers import DistanceLogits, FeatureLogits, GumbelSoftmaxLatent

SHAPE, K, D = (3, 4, 5), 6, 2
FEATURES = 2 * np.random.default_rng(0).normal(size=(*SHAPE, K)).astype("float32")


def new_layer(logits=None, features=FEATURES, **arguments):
    """A built layer of a fixed seed."""
    layer = GumbelSoftmaxLatent(K, D, logits=logits, seed=3, **arguments)
    layer.build(features.shape)
    return layer


def restarted(layer):
    """The layer, about to draw what it drew first."""
    layer.seed_generator.state.assign(keras.random.SeedGenerator(3).state)
    return layer


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def test_outside_of_training_the_most_probable_code_and_its_vector():
    layer = new_layer()
    before = [np.array(weight) for weight in layer.variables]
    outputs = layer(FEATURES)
    np.testing.assert_array_equal(outputs["codes"], FEATURES.argmax(axis=-1))
    np.testing.assert_array_equal(outputs["vectors"], layer.codes_to_vectors(outputs["codes"]))
    codebook = ops.convert_to_numpy(layer.codebook)
    np.testing.assert_array_equal(outputs["vectors"][1, 2, 3], codebook[outputs["codes"][1, 2, 3]])
    np.testing.assert_array_equal(outputs["weights"], np.eye(K)[outputs["codes"]])
    np.testing.assert_allclose(outputs["log_probs"], log_softmax(FEATURES), rtol=1e-5, atol=1e-6)
    for old, weight in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(old, weight, weight.path)


def test_weights_are_the_softmax_of_logits_and_noise_over_the_temperature():
    layer = new_layer(temperature=0.7)
    weights = np.asarray(layer(FEATURES, training=True)["weights"], "float64")
    # The noise as the layer must have drawn it, in float64.
    uniform = np.asarray(
        keras.random.uniform(FEATURES.shape, seed=restarted(layer).seed_generator), "float64"
    )
    scores = (log_softmax(FEATURES.astype("float64")) - np.log(-np.log(uniform))) / 0.7
    np.testing.assert_allclose(weights, np.exp(log_softmax(scores)), rtol=1e-3, atol=1e-5)


def test_vectors_are_the_weighted_codes():
    layer = new_layer()
    outputs = layer(FEATURES, training=True)
    weights, codebook = (np.asarray(x, "float64") for x in (outputs["weights"], layer.codebook))
    expected = np.einsum("bhwk,kd->bhwd", weights, codebook)
    np.testing.assert_allclose(outputs["vectors"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs["codes"], weights.argmax(axis=-1))


@pytest.mark.parametrize("logits", [FeatureLogits(), DistanceLogits()])
def test_codes_of_training_are_draws_of_the_softmax(logits):
    channels, many = logits.channels(K, D), 40_000
    row = np.random.default_rng(1).normal(size=channels).astype("float32")
    features = np.broadcast_to(row, (many, 1, 1, channels))
    layer = new_layer(logits, features)
    outputs = layer(features, training=True)
    found = np.bincount(np.reshape(outputs["codes"], -1), minlength=K) / many
    expected = np.exp(np.asarray(outputs["log_probs"], "float64")[0, 0, 0])
    # Four standard deviations of a frequency: one of these twelve fails by chance in 1,300 seeds.
    assert (np.abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / many)).all()


def test_how_close_to_one_hot_samples_of_uniform_logits_are():
    features = np.zeros((4, 32, 32, 256), "float32")
    layer = GumbelSoftmaxLatent(256, 2, temperature=0.1, seed=0)
    weights = np.asarray(layer(features, training=True)["weights"])
    # The same in float64, by noise of its own: 100,000 largest weights, their mean known to 0.0004.
    noise = np.random.default_rng(1).gumbel(size=(100_000, 256)) / 0.1
    alone = np.exp(log_softmax(noise - noise.max(axis=-1, keepdims=True))).max(axis=-1)
    assert alone.mean() == pytest.approx(0.930, abs=0.002)  # what the pages say
    # 4,096 weights with a standard deviation of 0.12: their mean has a standard error of 0.002.
    assert weights.max(axis=-1).mean() == pytest.approx(alone.mean(), abs=0.005)
    assert weights.max(axis=-1).mean() == pytest.approx(0.932, abs=0.005)
    assert float(layer.seen["largest_weight"]) == pytest.approx(weights.max(axis=-1).mean(), rel=1e-5)


def test_a_low_temperature_gives_one_hot_weights_and_a_high_one_equal_ones():
    for temperature, largest in ((1e-3, 1.0), (1e4, 1 / K)):
        weights = np.asarray(new_layer(temperature=temperature)(FEATURES, training=True)["weights"])
        assert weights.max(axis=-1).mean() == pytest.approx(largest, rel=1e-2)


def test_hard_weights_are_one_hot_with_the_gradient_of_the_relaxed_ones():
    direction = np.random.default_rng(5).normal(size=FEATURES.shape).astype("float32")

    def of(layer):
        def function(features):
            return restarted(layer)(features, training=True)["weights"] * direction

        return function

    soft, hard = new_layer(), new_layer(hard=True)
    weights = np.asarray(hard(FEATURES, training=True)["weights"])
    np.testing.assert_allclose(np.sort(weights, axis=-1)[..., -1], 1.0, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(*(gradients(of(layer), FEATURES)[0] for layer in (soft, hard)))


@pytest.mark.parametrize("logits", [FeatureLogits(), DistanceLogits()])
def test_gradient_of_the_vectors_equals_differences(logits):
    channels = logits.channels(K, D)
    features = np.random.default_rng(2).normal(size=(1, 2, 2, channels)).astype("float32")
    layer = new_layer(logits, features)
    direction = np.random.default_rng(5).normal(size=(1, 2, 2, D)).astype("float32")

    def function(x):
        return restarted(layer)(x, training=True)["vectors"] * direction

    (found,) = gradients(function, features)
    for place in np.ndindex(1, 2, 2, channels):
        step = np.zeros_like(features)
        step[place] = 1e-2
        ends = [float(ops.sum(function(features + sign * step))) for sign in (1, -1)]
        # Differences of float32 sums of size 1 over 0.02, and the third derivative's term.
        assert found[place] == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=2e-2, abs=2e-4)


def test_divergence_is_that_of_categorical_distributions():
    layer = new_layer()
    outputs = layer(FEATURES, training=True)
    prior = log_softmax(np.random.default_rng(3).normal(size=FEATURES.shape))
    q = np.exp(log_softmax(FEATURES.astype("float64")))
    expected = (q * (np.log(q) - prior)).sum(axis=(1, 2, 3))
    found = layer.divergence(outputs, prior.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_layer_counts_its_codes():
    layer = new_layer()
    codes = np.asarray(layer(FEATURES, training=True)["codes"])
    np.testing.assert_array_equal(layer.seen["counts"], np.bincount(codes.ravel(), minlength=K))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"num_embeddings": 0}, "num_embeddings"),
        ({"embedding_dim": 1.5}, "embedding_dim"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"hard": 1}, "hard"),
        ({"logits": "features"}, "logits"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_arguments_are_named(arguments, word):
    with pytest.raises((ValueError, TypeError), match=f"`{word}`.*Received"):
        GumbelSoftmaxLatent(**{"num_embeddings": K, "embedding_dim": D, **arguments})


def test_features_of_other_channels_are_refused():
    with pytest.raises(ValueError, match="`features` must have the shape.*6"):
        new_layer()(FEATURES[..., :-1])
