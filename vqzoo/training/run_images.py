"""The images of a run: of one data set, one folder or several."""

from vqzoo import data as datasets
from vqzoo.checks import checked_path
from vqzoo.data.joined_source import JoinedSource
from vqzoo.data.subset import evenly_spaced


def checked_folders(data):
    """The argument `data` of `train` as a list: of paths, or of None for the entry's data set.

    Raises:
        ValueError: if it is neither None nor a path nor a list of one path or more.
    """
    if data is None:
        return [None]
    folders = data if isinstance(data, (list, tuple)) and data else [data]
    return [checked_path(folder, "data") for folder in folders]


def with_class_names(config, folders):
    """The config with the class names of the first folder of images, which may be others."""
    if folders == [None]:
        return config
    names = datasets.folder_class_names(folders[0], config["data"].get("class_names"))
    kept = {key: value for key, value in config["data"].items() if key != "class_names"}
    return {**config, "data": {**kept, "class_names": names} if names else kept}


def open_images(data_config, folders, most, skip_bad, whole):
    """The training images of all folders, each once, and the test images of the first.

    Args:
        data_config: dict, the `data` mapping of a config.
        folders: list as `checked_folders` gives it.
        most: int, how many images of each split are used at most, or None for all.
        skip_bad, whole: bool, as for `vqzoo.data.open_source`.

    Returns:
        dict of `ImageSource`, "train" and "test".

    Raises:
        FileNotFoundError, OSError, ValueError: as `vqzoo.data.open_source`.
        ValueError: if the folders' classes differ.
    """

    def open_part(split, folder):
        source = datasets.open_source(data_config, split, folder, skip_bad, whole)
        return evenly_spaced(source, most)

    parts = [open_part("train", folder) for folder in folders]
    train = parts[0] if len(parts) == 1 else JoinedSource(parts)
    return {"train": train, "test": open_part("test", folders[0])}
