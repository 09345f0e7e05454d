"""The images of a grid: a data set that the zoo knows, or a folder."""

from vqzoo import config as configs
from vqzoo.checks import checked_path, nearest
from vqzoo.classifier import find_classifier
from vqzoo.data import read_image
from vqzoo.data.folder_layout import class_folders, find_images
from vqzoo.evaluation.feature_networks import of_classifier
from vqzoo.models.discrete_vae import STRIDE

KEPT = ("name", "image_shape", "splits", "class_names", "licence")
"""Keys of a data set that say which images these are; a grid neither mirrors nor crops them."""


def known_data():
    """The sections `data` of the zoo's entries, by the names of the data sets."""
    sections = [configs.read_config(entry)["data"] for entry in configs.names()]
    return {
        section["name"]: {key: section[key] for key in KEPT if key in section}
        for section in sections
        if "name" in section
    }


def find_data(data):
    """The images that `data` means.

    Args:
        data: str, name of a data set that an entry of the zoo is trained on; or path of a folder of
            images of one size, whose sides are divisible by 4.

    Returns:
        Pair of the section `data` of a configuration, and the folder, or None for a data set. A
        folder with the classes of a data set of the zoo counts as images of that.

    Raises:
        FileNotFoundError: if there is neither such a data set nor such a folder of images.
        OSError: if its first image is unreadable.
        ValueError: if its sides are not divisible by 4.
    """
    known = known_data()
    if str(data) in known:
        return known[str(data)], None
    folder = checked_path(data, "data")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`data` must be a folder of images, or one of {', '.join(sorted(known))}. "
            f"Received: {str(data)!r}; did you mean {nearest(data, known)!r}?"
        )
    return _data_of(folder, known.values()), folder


def _data_of(folder, known):
    """The section `data` of a folder of images, by its first image and its classes."""
    paths, _ = find_images(folder, "train")
    shape = list(read_image(paths[0]).shape)
    if any(side % STRIDE for side in shape[:2]):
        raise ValueError(
            f"`data` must hold images with both sides divisible by {STRIDE}. Received: {paths[0]}, "
            f"{shape[0]} pixels high and {shape[1]} wide"
        )
    classes = class_folders(folder)

    def is_same(section):
        names = sorted(section.get("class_names") or ())
        return names == classes and section["image_shape"][2] == shape[2]

    own = {"name": folder.resolve().name, "class_names": classes}
    return {**next(filter(is_same, known), own), "image_shape": shape}


def feature_network(data):
    """The `FeatureNetwork` of the package's classifier of the same data set and classes, or None.

    It may have been trained on images of another size: images are resized for it.
    """
    section = known_data().get(data["name"], {})
    if section.get("class_names") != data.get("class_names"):
        return None
    classifier = find_classifier(section)
    return classifier and of_classifier(classifier)
