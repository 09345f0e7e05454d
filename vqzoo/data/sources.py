"""Opens the images that a config names."""

from vqzoo import config as configs
from vqzoo.checks import checked_bool, checked_choice
from vqzoo.data.batches import checked_source
from vqzoo.data.crop_source import CropSource
from vqzoo.data.image_folder import open_folder
from vqzoo.data.joined_source import JoinedSource, MixedSource
from vqzoo.data.tfds_source import open_tfds


def open_source(data_config, split, folder=None, skip_bad=False, whole=False):
    """Opens a split of a config's images.

    Args:
        data_config: dict, the `data` mapping of a config: `name` of the TensorFlow dataset
            (not needed with `folder`), `image_shape` (height, width, channels), `splits` from
            "train" and "test" to what the data set calls them (such as "train[:90%]"),
            `class_names`, a list in the order of the label ids, or None for those of the data, and
            `crop`, the (height, width) of training: where it is given, images may be larger than
            `image_shape`, and their centres are read.
        split: "train" or "test".
        folder: str or path of a folder of images to read instead, or None.
        skip_bad: bool, whether unreadable files are left out and counted, instead of an error.
        whole: bool, whether training images are read as test images are, and not in crops alone.

    Returns:
        `ImageSource`.

    Raises:
        FileNotFoundError: if the data are not there; the message says how to get them.
        OSError: if a file is unreadable.
        ValueError: if an image has another shape, or a class another name than the config says;
            with `crop`, if an image in a folder is smaller than that, or than `image_shape` where
            it is not for crops alone.
    """
    configs.check_data(data_config)
    splits = data_config.get("splits", {"train": "train", "test": "test"})
    checked_choice(split, "split", splits if folder is None else ("train", "test"))
    checked_bool(skip_bad, "skip_bad")
    checked_bool(whole, "whole")
    image_shape, class_names = data_config["image_shape"], data_config.get("class_names")
    smallest = data_config.get("crop")
    if smallest is not None and split == "test":
        smallest = image_shape[:2]
    elif smallest is not None and (whole or folder is None):
        smallest = [max(pair) for pair in zip(smallest, image_shape[:2], strict=True)]
    if folder is not None:
        return open_folder(folder, split, image_shape, class_names, skip_bad, smallest)
    if "name" not in data_config:
        raise ValueError(
            "`folder` must be a folder of images, since the config names no data set "
            f"(--data FOLDER). Received: {folder=}"
        )
    return open_tfds(data_config["name"], splits[split], image_shape, class_names, smallest)


def training_source(source, crop=None):
    """What an autoencoder is trained on: of joined sources all equally often, and crops of images.

    Args:
        source: `ImageSource` of the training images.
        crop: (height, width) in pixels, or None for whole images.

    Returns:
        `ImageSource`.

    Raises:
        TypeError: if `source` is none.
        ValueError: if it is empty, or `crop` no such pair.
    """
    checked_source(source, "source")
    if isinstance(source, JoinedSource):
        source = MixedSource(source.sources)
    return source if crop is None else CropSource(source, crop)
