"""A small image classifier that judges samples, trained on real images."""

import json
import pathlib

import keras
import numpy as np

from vqzoo import config as configs
from vqzoo import files
from vqzoo import manifest as manifests
from vqzoo import weights
from vqzoo.checks import checked_path

CONFIG, WEIGHTS, RESULTS = "config.json", "classifier.weights.h5", "results.json"


TRAINING = "epochs", "seed", "mirror", "width", "learning_rate"
"""Arguments of `fit_classifier` that stand in `results.json`; older files lack the last two."""

PHOTOGRAPH = 64
"""Pixels of the smaller side from which images count as photographs; larger ones are shrunk
towards it, by a whole factor, inside of the network."""


def create(image_shape, num_classes, width=32):
    """A convolutional network with fresh weights and without batch normalisation.

    Its verdict on an image must not depend on the other images, nor on training statistics. It has
    five convolutions for small images and seven for photographs, of 64 x 64 pixels and more, which
    it sees shifted by up to a tenth of their size while it is trained.

    Args:
        image_shape: (height, width, channels).
        num_classes: int.
        width: int, filters of the first convolution; later ones have more.

    Returns:
        `keras.Model` from uint8 images `(batch, height, width, channels)` to float32 logits
        `(batch, num_classes)`.
    """
    images = keras.Input(image_shape, dtype="uint8", name="images")
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(images)
    photograph = min(image_shape[:2]) >= PHOTOGRAPH
    features = _of_photographs(x, width) if photograph else _of_small_images(x, width)
    features = keras.layers.Dropout(0.3)(features)
    logits = keras.layers.Dense(num_classes, name="logits")(features)
    return keras.Model(images, logits, name="classifier")


def _of_small_images(x, width):
    """Features `(batch, 128)` of pixels in -1..1."""

    def convolve(x, filters, strides=1):
        return keras.layers.Conv2D(filters, 3, strides, "same", activation="relu")(x)

    x = convolve(convolve(x, width), width, strides=2)
    x = convolve(convolve(x, 2 * width), 2 * width, strides=2)
    x = keras.layers.Dropout(0.2)(convolve(x, 2 * width))
    return keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))


def _of_photographs(x, width):
    """Features `(batch, 8 width)` of pixels in -1..1."""

    def convolve(x, filters, strides=1, size=3):
        # He's initial weights: without any normalisation the signal keeps its size through them.
        start, padding = "he_normal", "same"
        return keras.layers.Conv2D(
            filters, size, strides, padding, activation="relu", kernel_initializer=start
        )(x)

    x = keras.layers.AveragePooling2D(min(x.shape[1:3]) // PHOTOGRAPH)(x)
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="reflect")(x)
    x = convolve(x, width, strides=2, size=5)
    x = convolve(convolve(x, 2 * width, strides=2), 2 * width)
    x = convolve(convolve(x, 4 * width, strides=2), 4 * width)
    x = convolve(convolve(x, 8 * width, strides=2), 8 * width)
    return keras.layers.GlobalAveragePooling2D()(x)


class Classifier:
    """A trained network and what its outputs mean.

    Args:
        network: `keras.Model` that `create` made.
        class_names: list of str in the order of the label ids.
        data_name: str, name of the data set that it was trained on.
        training: dict of the arguments of `fit_classifier` that it was trained with, or None if
            they are not known.
        name: str, part of the name of every number that rests on it; None for that of the data.
    """

    def __init__(self, network, class_names, data_name, training=None, name=None):
        self.network, self.class_names, self.data_name = network, list(class_names), data_name
        self.training, self.name = training, name or classifier_name(data_name)
        self.image_shape = tuple(network.input_shape[1:])

    def predict(self, images, batch_size=256):
        """The label id that each image gets: uint8 `(images, H, W, C)` to int32 `(images,)`."""
        logits = self.network.predict(images, batch_size=batch_size, verbose=0)
        return np.argmax(logits, axis=-1).astype("int32")

    def probabilities(self, images, batch_size=256):
        """p(label given image), uint8 `(images, H, W, C)` to float32 `(images, classes)`."""
        logits = self.network.predict(images, batch_size=batch_size, verbose=0)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    def save(self, folder):
        """Writes `config.json`, `classifier.weights.h5` and their checksums."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "image_shape": list(self.image_shape),
            "class_names": self.class_names,
            "data": self.data_name,
            "width": next(each.filters for each in self.network.layers if hasattr(each, "filters")),
        }
        files.write_text(folder / CONFIG, json.dumps(content, indent=1) + "\n")
        weights.save_weights(self.network, folder / WEIGHTS)
        manifests.write(folder, [CONFIG, WEIGHTS], class_names=self.class_names)


def load_classifier(name_or_folder):
    """A trained `Classifier`.

    Args:
        name_or_folder: str or path, a folder `classifier_*` of the package, such as
            `"classifier_fashion_mnist"`, or the path of one that `Classifier.save` wrote.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if a file in it is damaged.
    """
    checked_path(name_or_folder, "name_or_folder")
    inside = configs.folder_of("pretrained") / str(name_or_folder)
    folder = inside if inside.is_dir() else pathlib.Path(name_or_folder)
    if not (folder / manifests.FILE).is_file():
        raise FileNotFoundError(
            "`name_or_folder` must be a classifier of the package or a folder that "
            "`vqzoo.evaluation.train_classifier` wrote. "
            f"Received: {str(name_or_folder)!r}"
        )
    for file, entry in manifests.read(folder)["files"].items():
        manifests.check_file(folder / file, entry)
    content = json.loads((folder / CONFIG).read_text("utf-8"))
    width = content.get("width", 32)
    network = create(content["image_shape"], len(content["class_names"]), width)
    weights.load_weights(network, folder / WEIGHTS)
    training = None
    if (folder / RESULTS).is_file():
        results = json.loads((folder / RESULTS).read_text("utf-8"))
        training = {name: results[name] for name in TRAINING if name in results}
    name = folder.resolve().name
    return Classifier(network, content["class_names"], content["data"], training, name)


def checked_critic(critic, class_names, num_classes, image_shape):
    """A `Classifier` that can choose among a model's samples.

    Args:
        critic: `Classifier`, or the name or folder of one.
        class_names: list of str, the model's classes, or None.
        num_classes: int, how many its prior tells apart, or None.
        image_shape: (height, width, channels) of its images.

    Raises:
        FileNotFoundError: if there is no such classifier.
        ValueError: if it is of other classes or images, or the prior knows none.
    """
    if num_classes is None:
        raise ValueError("`critic` must be None: the prior has no classes to see")
    if not isinstance(critic, Classifier):
        critic = load_classifier(checked_path(critic, "critic"))
    check_fit(critic, "critic", class_names, image_shape)
    return critic


def check_fit(classifier, argument, class_names, image_shape):
    """Raises a ValueError naming `argument` if a classifier is of other classes or images."""
    if classifier.class_names != class_names:
        raise ValueError(
            f"`{argument}` must know the classes {class_names}. Received: {classifier.class_names}"
        )
    if classifier.image_shape != tuple(image_shape):
        raise ValueError(
            f"`{argument}` must see images of shape {tuple(image_shape)}. "
            f"Received: a classifier of {classifier.image_shape}"
        )


def classifier_name(data_name):
    """The package's name for the classifier of a data set: `"imagenette/160px-v2"` and its other
    sizes share `"classifier_imagenette"`."""
    return f"classifier_{data_name.partition('/')[0]}"


def find_classifier(data_config):
    """The package's classifier for the images and classes of a config's `data`, or None."""
    name = classifier_name(str(data_config.get("name")))
    if not (configs.folder_of("pretrained") / name / manifests.FILE).is_file():
        return None
    classifier = load_classifier(name)
    found = {"class_names": classifier.class_names, "image_shape": list(classifier.image_shape)}
    return classifier if all(found[key] == data_config.get(key) for key in found) else None
