"""Opens a TensorFlow dataset that is prepared on this machine as a source."""

import os

import numpy as np

from vqzoo.data.any_size import enlarged
from vqzoo.data.image_source import MEMORY_LIMIT, ImageSource
from vqzoo.data.quiet import quiet

DATA_DIR = "TFDS_DATA_DIR"
"""Environment variable that names the folder of prepared data sets."""


class TfdsSource(ImageSource):
    """A split of a TensorFlow dataset, read by index; no TensorFlow is imported for it.

    The first 1 GiB of decoded images stay in memory.

    Args:
        examples: sequence of dicts with a uint8 "image" and perhaps an int "label".
        name, image_shape: as for `ImageSource`.
        class_names: list of str, or None if the examples have no labels.
        smallest: (height, width) that smaller pictures are enlarged for; None: all pictures are of
            `image_shape`.
    """

    def __init__(self, examples, name, image_shape, class_names=None, smallest=None):
        super().__init__(name, image_shape, class_names)
        self._examples, self._decoded, self._room = examples, {}, MEMORY_LIMIT
        self._smallest = smallest

    @property
    def has_labels(self):
        return self.class_names is not None

    def __len__(self):
        return len(self._examples)

    def read(self, index):
        if index in self._decoded:
            return self._decoded[index]
        example = self._examples[index]
        image, label = example["image"], example["label"] if self.has_labels else None
        what = self.describe(index)
        _check_image(what, image.shape, image.dtype, _wanted(self.image_shape, self._smallest))
        if self._smallest is not None:  # a data set's own pictures are not for users to mend
            image = enlarged(image, *self._smallest)
        if image.nbytes <= self._room:
            self._room -= image.nbytes
            self._decoded[index] = image, label
        return image, label


def open_tfds(name, split, image_shape, class_names=None, smallest=None):
    """Opens a split of a prepared TensorFlow dataset; nothing is ever downloaded.

    How to prepare one: https://www.tensorflow.org/datasets/cli, or the command in the error.

    Args:
        name: str, such as "fashion_mnist" or "imagenette/160px-v2"; TFDS finds the data below
            `$TFDS_DATA_DIR`, else below `~/tensorflow_datasets`.
        split: str, in TFDS' own words, such as "train" or "train[:90%]".
        image_shape: (height, width, channels) in which images are given.
        class_names: list of str in the order of the label ids, or None for the data set's own.
        smallest: (height, width) that smaller pictures are enlarged for, since crops are taken;
            None: every picture must be of `image_shape`.

    Returns:
        `ImageSource`; it has labels if the data set has a class label called "label".

    Raises:
        FileNotFoundError: if the set is not prepared here, or TFDS not installed; the message
            says how to do it.
        ValueError: if it cannot be read by index, or its split, images or classes do not fit.
    """
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError as error:
        raise FileNotFoundError(
            f"the data set {name!r} needs the package tensorflow-datasets, which is not here: "
            "install it, or give a folder of images (--data FOLDER)"
        ) from error

    with quiet():
        builder = _prepared_builder(tfds, name)
        features = builder.info.features
        names = _class_names(tfds, name, features, class_names)
        if "image" not in features:
            raise ValueError(f"{name}: examples must have an `image`. Received: {list(features)}")
        image = features["image"]
        _check_image(name, image.shape, image.np_dtype, _wanted(image_shape, smallest))
        source = TfdsSource(builder.as_data_source(split), name, image_shape, names, smallest)
        if len(source):
            source.read(0)  # the first image makes TFDS choose its decoder, and say so
    return source


def _prepared_builder(tfds, name):
    """Returns the builder of a data set that is on this machine and can be read by index."""
    from tensorflow_datasets.core import read_only_builder

    folder = os.environ.get(DATA_DIR)
    prepare = (
        'python -c "import tensorflow_datasets as tfds; '
        f"tfds.builder('{name}', file_format='array_record').download_and_prepare()\""
    )
    try:
        # From the files alone: the class of the data set would ask Google's servers about it.
        builder = read_only_builder.builder_from_files(name, data_dir=folder)
    except tfds.core.DatasetNotFoundError as error:
        raise FileNotFoundError(
            f"the data set {name!r} is not prepared in {folder or '~/tensorflow_datasets'}, and "
            f"nothing is downloaded unasked: run {prepare} on a machine with a network, set "
            f"{DATA_DIR} if it lies elsewhere, or give a folder of images (--data FOLDER)"
        ) from error
    formats = [file_format.value for file_format in builder.info.available_file_formats()]
    if not {"array_record", "parquet"} & set(formats):
        raise ValueError(
            f"the data set {name!r} in {builder.data_dir} is prepared as {', '.join(formats)}, "
            "which cannot be read by index; prepare it again elsewhere: "
            f"{DATA_DIR}=NEW_FOLDER {prepare}"
        )
    return builder


def _class_names(tfds, name, features, class_names):
    """Returns the names of the classes, or None without labels; the config's own names win."""
    label = features["label"] if "label" in features else None
    if not isinstance(label, tfds.features.ClassLabel):
        return None
    if class_names is not None and len(class_names) != label.num_classes:
        raise ValueError(
            f"`class_names` must be the {label.num_classes} classes of {name}. "
            f"Received: {len(class_names)} names, {class_names}"
        )
    return class_names or label.names


def _wanted(image_shape, smallest):
    """The shape that pictures must have, None for a side that may have any length."""
    return tuple(image_shape) if smallest is None else (None, None, image_shape[2])


def _check_image(what, shape, dtype, wanted):
    """Raises unless an image is uint8 and of the shape `wanted`; None fits anything."""
    fits = len(shape) == 3 and all(
        None in pair or pair[0] == pair[1] for pair in zip(shape, wanted, strict=True)
    )
    if not fits or dtype != np.uint8:
        raise ValueError(
            f"{what} must be uint8 of shape {wanted}; nothing is resized silently, but "
            "a folder of resized images will do (--data FOLDER). "
            f"Received: {np.dtype(dtype).name} of shape {tuple(shape)}"
        )
