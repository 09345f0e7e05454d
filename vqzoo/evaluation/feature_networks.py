"""Networks whose activations stand for images when sets of images are compared."""

import pathlib
import re

import keras
import numpy as np

from vqzoo.checks import checked_path, shown
from vqzoo.classifier import load_classifier
from vqzoo.evaluation.tflite_network import tflite_features

INCEPTION = "inception_v3"


class FeatureNetwork:
    """A network with a name, which becomes part of the name of every number that rests on it.

    Args:
        name: str, such as `"inception_v3"`.
        input_shape: (height, width, channels) that it takes; None for a size that may be any.
        compute: function of float32 pixels in 0..255, `(batch, height, width, channels)`, to the
            pair of features `(batch, n)` and probabilities `(batch, classes)` or None.
    """

    def __init__(self, name, input_shape, compute):
        self.name, self.input_shape, self.compute = name, tuple(input_shape), compute

    def __call__(self, images):
        """Features and probabilities of images.

        Args:
            images: uint8 `(batch, height, width, channels)` of any size; grey ones may be given to
                a network that sees colours.

        Returns:
            Pair of float32 `(batch, features)` and float32 `(batch, classes)`, or None in place of
            the second.

        Raises:
            ValueError: if the network takes grey images and these have colours.
        """
        pixels = fitted(images, self.input_shape)
        features, probabilities = self.compute(pixels)
        return np.asarray(features, "float32"), probabilities


def fitted(images, input_shape):
    """Images as float32 pixels in 0..255 of the size and channels that a network takes.

    Resized by an antialiased cubic filter, the whole image to the whole input, and not rounded:
    without antialiasing distances depend on how an image was shrunk (Parmar et al.,
    arXiv:2104.11222). Keras' filter is Pillow's to 1/200 of a grey level, as fast, on both
    backends, and takes a batch at once.

    Raises:
        ValueError: if the channels cannot be had.
    """
    height, width, channels = input_shape
    pixels = np.asarray(images, "float32")
    if channels == 3 and pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    if channels not in (None, pixels.shape[-1]):
        raise ValueError(
            f"`images` must have {channels} channels for this network. Received: {shown(images)}"
        )
    size = height or pixels.shape[1], width or pixels.shape[2]
    if pixels.shape[1:3] == size:
        return pixels
    resized = keras.ops.image.resize(pixels, size, interpolation="bicubic", antialias=True)
    return keras.ops.convert_to_numpy(resized)


def open_network(name):
    """A `FeatureNetwork` by its name or file.

    Args:
        name: `"inception_v3"`: Keras' Inception-v3 with its ImageNet weights, downloaded once, the
            2,048 pooled features of images at 299 x 299; a classifier of the package or a folder
            of one: its last hidden layer; or the path of a Keras model (`.keras`, `.h5`) or a
            TFLite file that takes pixels in 0..255, optionally followed by `#LAYER`, the layer or
            tensor whose activations to take instead of the output. Maps are averaged over space.

    Raises:
        FileNotFoundError: if there is no such classifier or file.
        ValueError: if a file holds no such network or layer.
    """
    if name == INCEPTION:
        return inception_v3()
    path, _, layer = str(checked_path(name, "features")).partition("#")
    if pathlib.Path(path).suffix in (".keras", ".h5", ".tflite"):
        return _from_file(pathlib.Path(path), layer)
    return of_classifier(load_classifier(path))


def of_classifier(classifier):
    """The last hidden layer of a `Classifier`, and its probabilities, as a `FeatureNetwork`."""
    network = classifier.network
    both = keras.Model(network.inputs, [network.get_layer("logits").input, network.output])

    def compute(pixels):
        # It takes uint8: what the resizing left between grey levels or beyond them is rounded.
        features, logits = both.predict_on_batch(np.clip(np.rint(pixels), 0, 255).astype("uint8"))
        return features, keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return FeatureNetwork(classifier.name, classifier.image_shape, compute)


def inception_v3(weights="imagenet"):
    """Keras' Inception-v3; `weights` as for `keras.applications.InceptionV3`."""
    network = keras.applications.InceptionV3(weights=weights)
    both = keras.Model(network.input, [network.get_layer("avg_pool").output, network.output])

    def compute(pixels):
        return both.predict_on_batch(pixels / 127.5 - 1)

    return FeatureNetwork(INCEPTION, network.input_shape[1:], compute)


def _from_file(path, layer):
    """The `FeatureNetwork` of a Keras or TFLite file; errors as for `open_network`."""
    if not path.is_file():
        raise FileNotFoundError(f"`features` must be a network or a file. Received: {str(path)!r}")
    name = re.sub(r"\W+", "_", f"{path.stem} {layer}".strip())
    if path.suffix == ".tflite":
        return FeatureNetwork(name, *tflite_features(path, layer))
    network = keras.saving.load_model(path, compile=False)
    layers = {each.name: each for each in network.layers}
    if layer and layer not in layers:
        raise ValueError(f"`features` must name a layer: {', '.join(layers)}. Received: {layer!r}")
    output = layers[layer].output if layer else network.output
    network = keras.Model(network.inputs, output)

    def compute(pixels):
        activations = network.predict_on_batch(pixels)
        return activations.reshape(len(pixels), -1, activations.shape[-1]).mean(axis=1), None

    return FeatureNetwork(name, network.input_shape[1:], compute)
