"""Which files of an image folder belong to a split, and which classes they are of."""

import hashlib
import math
import os
from pathlib import Path

from vqzoo.checks import checked_choice, checked_path
from vqzoo.data.image_file import SUFFIXES

SPLITS = ("train", "test")
"""Names of the two splits, and of their folders."""

HELD_OUT = 0.1
"""Share of the images that become the test split of a folder without `train` and `test`."""


def find_images(folder, split):
    """Returns the images of a split and their class folders.

    `folder/train` and `folder/test` are the splits if either is there. Otherwise a tenth is held
    out for testing: the names whose SHA-256 is smallest, so that neither the machine nor the order
    in which it lists files has a say, and a few new images move few old ones.

    Args:
        folder: str or path.
        split: "train" or "test".

    Returns:
        `paths, classes`: the sorted paths, and for each the name of its class folder; `classes` is
        None where the images lie in no class folders.

    Raises:
        FileNotFoundError: if the folder or its split is missing, or holds no image.
        ValueError: if `split` is unknown, or some images lie in class folders and some do not.
    """
    checked_choice(split, "split", SPLITS)
    folder = checked_path(folder, "folder")
    if _is_split(folder):
        root = folder / split
        names = _images_below(root)
    else:
        root = folder
        names = _part(_images_below(root), split)
    if not names:
        raise FileNotFoundError(
            f"{root}: no images for the {split} split; image files end in {', '.join(SUFFIXES)}"
        )
    return [root / name for name in names], _class_of_each(root, names)


def class_folders(folder):
    """Returns the sorted names of the class folders of all splits, or None for a flat folder.

    Args:
        folder: str or path; of both splits, since a class may have test images only.

    Raises:
        ValueError: if some images lie in class folders and some do not.
    """
    folder = checked_path(folder, "folder")
    found = set()
    for root in filter(Path.is_dir, map(folder.joinpath, SPLITS if _is_split(folder) else [""])):
        found.update(_class_of_each(root, _images_below(root)) or ())
    return sorted(found) or None


def _is_split(folder):
    return any((folder / name).is_dir() for name in SPLITS)


def _images_below(root):
    """Returns the sorted names, relative to `root` and with "/", of all images below it."""
    if not root.is_dir():
        raise FileNotFoundError(f"`folder` must be a folder of images. There is no folder {root}")
    names = []
    for place, folders, files in os.walk(root, followlinks=True):
        # Assigned in place: `os.walk` then leaves the others out.
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(root)
        names += [
            (below / name).as_posix()
            for name in files
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(names)


def _part(names, split):
    """Returns the names of one split, the smallest tenth by hash being the test split."""
    ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    held_out = math.ceil(HELD_OUT * len(names))
    return sorted(ranked[:held_out] if split == "test" else ranked[held_out:])


def _class_of_each(root, names):
    """Returns the first folder in each name, or None if there is none in any."""
    classes = [name.split("/")[0] if "/" in name else None for name in names]
    if not any(classes):
        return None
    if not all(classes):
        raise ValueError(
            f"{root}: images must lie all in class folders or all outside of them. Received: "
            f"{names[classes.index(None)]!r} beside the folder {next(filter(None, classes))!r}"
        )
    return classes
