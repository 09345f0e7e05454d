"""Opens a folder of image files as a source."""

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from vqzoo.checks import checked_class_names
from vqzoo.data.array_source import ArraySource
from vqzoo.data.folder_layout import class_folders, find_images
from vqzoo.data.image_file import read_image
from vqzoo.data.image_source import MEMORY_LIMIT, ImageSource
from vqzoo.progress import track

THREADS = 4
"""Threads that decode at once; Pillow lets go of the interpreter's lock while it decodes."""


class FolderSource(ImageSource):
    """Images read from their files whenever they are asked for.

    Args:
        paths: list of paths, one for each image.
        labels: int sequence of ids, one for each image, or None.
        name, image_shape, class_names, skipped_names: as for `ImageSource`.
    """

    def __init__(self, paths, labels, name, image_shape, class_names=None, skipped_names=()):
        super().__init__(name, image_shape, class_names, skipped_names)
        self.paths, self.labels = paths, labels

    @property
    def has_labels(self):
        return self.labels is not None

    def __len__(self):
        return len(self.paths)

    def read(self, index):
        label = self.labels[index] if self.has_labels else None
        return read_image(self.paths[index], self.image_shape), label


def folder_class_names(folder, class_names=None):
    """Returns the class names that a model trained anew on a folder has.

    Args:
        folder: str or path.
        class_names: list of str, the names of the entry that is trained, or None.

    Returns:
        `class_names` if each class folder is called by one of them or by its id; otherwise the
        sorted names of the class folders; None if the images lie in no class folders.
    """
    class_names, found = checked_class_names(class_names), class_folders(folder)
    if found is None or (class_names and _ids(found, class_names)):
        return None if found is None else list(class_names)
    return found


def open_folder(folder, split, image_shape, class_names=None, skip_bad=False):
    """Opens one split of a folder of images; every file is decoded once to see that it can be.

    Up to 1 GiB of decoded images stay in memory; more are read again when they are asked for.

    Args:
        folder: str or path; `find_images` says how images may lie in it.
        split: "train" or "test".
        image_shape: (height, width, channels) that every image must have.
        class_names: list of str in the order of the label ids. Class folders must be called by
            these names, or all by ids. None: the sorted names of the class folders.
        skip_bad: bool, whether unreadable files are left out and counted, instead of an error.

    Returns:
        `ImageSource`.

    Raises:
        FileNotFoundError: if the folder or its split is missing or empty.
        OSError: if a file is unreadable and `skip_bad` is False, or if all are.
        ValueError: if an image has another shape, or a class folder another name.
    """
    paths, classes = find_images(folder, split)
    labels = None
    if classes is None:
        class_names = None
    else:
        class_names = class_names or class_folders(folder)
        labels = _labels(classes, class_names, folder)
    # Decoded in any case, to find what is broken: what has room is then kept.
    in_memory = len(paths) * np.prod(image_shape, dtype="int64") <= MEMORY_LIMIT
    images = np.empty((len(paths) if in_memory else 0, *image_shape), "uint8")
    good, bad = _decode_all(paths, image_shape, images, skip_bad)
    if not good:
        raise OSError(f"{folder}: none of the {len(paths)} images of the {split} split is readable")
    if bad:
        message = "left out %d unreadable of %d images in %s, the first: %s"
        logging.getLogger("vqzoo").warning(message, len(bad), len(paths), folder, bad[0])
    labels = None if labels is None else np.array(labels, "int32")[good]
    if in_memory:
        return ArraySource(images[: len(good)], labels, class_names, str(folder), bad)
    kept = [paths[i] for i in good]
    return FolderSource(kept, labels, str(folder), image_shape, class_names, bad)


def _ids(found, class_names):
    """Returns {class folder: label id}, or None if the folders are called otherwise."""
    # Names first: classes may be called by digits in another order, and all folders by one scheme.
    for names in (class_names, [str(i) for i in range(len(class_names))]):
        if set(found) <= set(names):
            return {name: names.index(name) for name in found}
    return None


def _labels(classes, class_names, folder):
    """Returns the label id of each image from the name of its class folder."""
    found = set(classes)
    ids = _ids(found, class_names)
    if ids is None:
        unknown = sorted(found - set(class_names))
        raise ValueError(
            f"{folder}: class folders must be called by the class names {class_names}, or all by "
            f"their ids 0 .. {len(class_names) - 1}. Received: {unknown}"
        )
    return [ids[name] for name in classes]


def _decode_all(paths, image_shape, images, skip_bad):
    """Decodes every file, into the first rows of `images` where it has any.

    Returns:
        `good, bad`: the positions in `paths` of readable files, and the names of the others.
    """

    # An exception inside the pool would end the map: it travels as a result.
    def attempt(path):
        try:
            return read_image(path, image_shape)
        except OSError as error:
            return error

    good, bad = [], []
    with ThreadPoolExecutor(THREADS) as pool:
        results = _ordered_map(pool, attempt, paths)
        for i, result in enumerate(track(results, len(paths), "reading images")):
            if not isinstance(result, OSError):
                if len(images):
                    images[len(good)] = result
                good.append(i)
            elif skip_bad:
                bad.append(str(paths[i]))
            else:
                raise result
    return good, bad


def _ordered_map(pool, function, items, size=1024):
    """Yields `function(item)` in order, with at most `size` results waiting."""
    # `pool.map` alone takes all items at once, and holds every result not asked for yet.
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield from pool.map(function, chunk)
