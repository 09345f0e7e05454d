import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from vqzoo.classifier import Classifier, create
from vqzoo.evaluation.feature_networks import fitted, inception_v3, of_classifier, open_network


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 20, 24, 3)).astype("uint8")


def test_resizing_is_pillows_with_antialiasing(images):
    found = fitted(images, (7, 9, 3))
    for image, own in zip(images, found, strict=True):
        for channel in range(3):
            plane = Image.fromarray(image[..., channel].astype("float32"))
            expected = np.array(plane.resize((9, 7), Image.Resampling.BICUBIC))
            np.testing.assert_allclose(own[..., channel], expected, atol=0.01)
    assert found.dtype == np.float32 and np.any(found % 1)  # not rounded
    assert found.std() < 0.6 * images.std()  # averaged, not picked


def test_grey_images_become_colours_and_not_the_other_way(images):
    grey = images[..., :1]
    np.testing.assert_array_equal(fitted(grey, (None, None, 3)), np.repeat(grey, 3, axis=-1))
    with pytest.raises(ValueError, match="`images` must have 1 channels"):
        fitted(images, (20, 24, 1))


def test_classifier_gives_its_last_hidden_layer(images, tmp_path):
    classifier = Classifier(create((20, 24, 3), 4), list("abcd"), "toy")
    network = of_classifier(classifier)
    features, probabilities = network(images)
    assert network.name == "classifier_toy" and features.shape == (5, 128)
    assert features.dtype == np.float32 and (features >= 0).all()
    kernel, bias = classifier.network.get_layer("logits").get_weights()
    logits = classifier.network.predict(images, verbose=0)
    np.testing.assert_allclose(features @ kernel + bias, logits, atol=1e-4)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    classifier.save(tmp_path / "mine")
    again = open_network(tmp_path / "mine")
    assert again.name == "mine"
    np.testing.assert_array_equal(again(images)[0], features)


def test_package_classifier_by_name():
    assert open_network("classifier_fashion_mnist").input_shape == (28, 28, 1)


def test_keras_file_by_output_or_layer(images, tmp_path):
    pixels = keras.Input((10, 12, 3))
    maps = keras.layers.Conv2D(6, 3, name="maps")(pixels)
    pooled = keras.layers.GlobalMaxPooling2D()(maps)
    model = keras.Model(pixels, pooled)
    model.save(tmp_path / "net-1.keras")
    shrunk = fitted(images, (10, 12, 3))
    network = open_network(tmp_path / "net-1.keras")
    assert network.name == "net_1"
    np.testing.assert_allclose(network(images)[0], model.predict(shrunk, verbose=0), rtol=1e-5)
    assert network(images)[1] is None
    network = open_network(f"{tmp_path / 'net-1.keras'}#maps")
    expected = keras.Model(pixels, maps).predict(shrunk, verbose=0).mean(axis=(1, 2))
    assert network.name == "net_1_maps"
    np.testing.assert_allclose(network(images)[0], expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="`features` must name a layer: .*maps.*Received: 'nope'"):
        open_network(f"{tmp_path / 'net-1.keras'}#nope")


def test_tflite_file_equals_the_model_that_it_was_made_of(images, tmp_path):
    import tensorflow as tf

    generator = np.random.default_rng(1)
    kernel, dense = (generator.normal(size=s).astype("float32") for s in ((3, 3, 3, 6), (6, 4)))

    @tf.function(input_signature=[tf.TensorSpec((1, 10, 12, 3))])
    def model(pixels):
        maps = tf.nn.relu(tf.nn.conv2d(pixels, kernel, 1, "SAME"), name="maps")
        return tf.matmul(tf.reduce_mean(maps, axis=(1, 2)), dense)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([model.get_concrete_function()])
    path = pathlib.Path(tmp_path / "small.tflite")
    path.write_bytes(converter.convert())
    network = open_network(path)
    shrunk = fitted(images, (10, 12, 3))
    expected = np.concatenate([model(image[None]) for image in shrunk])
    assert network.name == "small" and network.input_shape == (10, 12, 3)
    np.testing.assert_allclose(network(images)[0], expected, rtol=1e-4, atol=1e-2)
    every = tf.lite.Interpreter(str(path)).get_tensor_details()
    (maps,) = (each["name"] for each in every if tuple(each["shape"]) == (1, 10, 12, 6))
    inner = open_network(f"{path}#{maps[-9:]}")
    assert inner.name.startswith("small_")
    np.testing.assert_allclose(inner(images)[0] @ dense, expected, rtol=1e-4, atol=1e-2)
    with pytest.raises(ValueError, match="end in the name of a tensor. Received: 'nope'"):
        open_network(f"{path}#nope")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in shrunk)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    path.write_bytes(converter.convert())
    with pytest.raises(ValueError, match="must take uint8 or float32. Received: .* of int8"):
        open_network(path)


@pytest.mark.slow
def test_inception_without_its_weights(images):
    features, probabilities = inception_v3(weights=None)(images)
    assert features.shape == (5, 2048) and probabilities.shape == (5, 1000)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="`features` must be a network or a file"):
        open_network(tmp_path / "none.keras")
    with pytest.raises(FileNotFoundError, match="`name_or_folder` must be a classifier"):
        open_network("classifier_of_nothing")
