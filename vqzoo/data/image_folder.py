"""Opens a folder of image files as a source."""

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from vqzoo.checks import checked_class_names
from vqzoo.data.any_size import check_size
from vqzoo.data.folder_layout import class_folders, find_images
from vqzoo.data.image_file import read_image
from vqzoo.data.image_source import MEMORY_LIMIT, ImageSource
from vqzoo.progress import track

THREADS = 4
"""Threads that decode at once; Pillow lets go of the interpreter's lock while it decodes."""


class FolderSource(ImageSource):
    """Images in files: those that `load` has kept in memory, the others read when asked for.

    Args:
        paths: list of paths, one for each image.
        labels: int sequence of ids, one for each image, or None.
        name, image_shape, class_names: as for `ImageSource`.
        smallest: (height, width) that pictures have at least; None: that of `image_shape`, exactly.
    """

    def __init__(self, paths, labels, name, image_shape, class_names=None, smallest=None):
        super().__init__(name, image_shape, class_names)
        self.paths, self.labels = paths, labels
        self._smallest, self._pictures = smallest, {}

    @property
    def has_labels(self):
        return self.labels is not None

    def __len__(self):
        return len(self.paths)

    def read(self, index):
        picture = self._pictures.get(index)
        if picture is None:
            picture = self._decode(self.paths[index])
        return picture, self.labels[index] if self.has_labels else None

    def describe(self, index):
        return str(self.paths[index])

    def load(self, skip_bad):
        """Decodes every file once, to find what is broken, and keeps the first 1 GiB of images.

        Args:
            skip_bad: bool, whether unreadable files are left out, instead of an error.

        Raises:
            OSError: if a file is unreadable.
            ValueError: if an image has a wrong size.
        """
        good, room = [], MEMORY_LIMIT
        for i, result in enumerate(self._decode_all()):
            if not isinstance(result, OSError):
                room -= result.nbytes
                if room >= 0:
                    self._pictures[len(good)] = result
                good.append(i)
            elif skip_bad:
                self.skipped_names.append(str(self.paths[i]))
            else:
                raise result
        self.paths = [self.paths[i] for i in good]
        self.labels = [self.labels[i] for i in good] if self.has_labels else None

    def _decode_all(self):
        """Yields each file's picture, in order, or the OSError that it is unreadable."""

        # An exception inside the pool would end the map: it travels as a result.
        def attempt(path):
            try:
                return self._decode(path)
            except OSError as error:
                return error

        with ThreadPoolExecutor(THREADS) as pool:
            results = _ordered_map(pool, attempt, self.paths)
            yield from track(results, len(self.paths), "reading images")

    def _decode(self, path):
        picture = read_image(path, self.image_shape, any_size=self._smallest is not None)
        if self._smallest is not None:
            check_size(path, picture, *self._smallest)
        return picture


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


def open_folder(folder, split, image_shape, class_names=None, skip_bad=False, smallest=None):
    """Opens one split of a folder of images; every file is decoded once to see that it can be.

    The first 1 GiB of decoded images stay in memory; the rest is read again when it is asked for.

    Args:
        folder: str or path; `find_images` says how images may lie in it.
        split: "train" or "test".
        image_shape: (height, width, channels) in which images are given.
        class_names: list of str in the order of the label ids. Class folders must be called by
            these names, or all by ids. None: the sorted names of the class folders.
        skip_bad: bool, whether unreadable files are left out and counted, instead of an error.
        smallest: (height, width) that every picture must have at least; None: that of
            `image_shape`, exactly.

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
    source = FolderSource(paths, labels, str(folder), image_shape, class_names, smallest)
    source.load(skip_bad)
    if not len(source):
        raise OSError(f"{folder}: none of the {len(paths)} images of the {split} split is readable")
    if source.skipped:
        message = "left out %d unreadable of %d images in %s, the first: %s"
        left_out = source.skipped, len(paths), folder, source.skipped_names[0]
        logging.getLogger("vqzoo").warning(message, *left_out)
    return source


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


def _ordered_map(pool, function, items, size=64):
    """Yields `function(item)` in order, with at most `size` results waiting."""
    # `pool.map` alone takes all items at once, and holds every result not asked for yet.
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield from pool.map(function, chunk)
