"""Image files on the command line: those named and those in folders named, in and out."""

import logging
import pathlib

from vqzoo.cli.arguments import UsageError


def read_images(paths, image_shape, skip_bad=False, fit=None):
    """Reads PNG and JPEG files, and those anywhere below folders, in the order of their names.

    Args:
        paths: list of paths of files or folders.
        image_shape: (height, width, channels) that every picture must have.
        skip_bad: bool, whether unreadable files are left out, named and counted.
        fit: None, or a function of a picture, which then may have any size, and its path to what
            is kept of it.

    Returns:
        Pair of lists: uint8 `(height, width, channels)`, and names: a file's own, or its path
        below the folder that was named.

    Raises:
        FileNotFoundError: if there is no image.
        OSError: if a file is unreadable.
        ValueError: if a picture has another shape, or two have one name.
    """
    from vqzoo.data import read_image

    images, names, bad = [], [], []
    found = list(_find(paths))
    _check_names(found)
    for path, name in found:
        try:
            image = read_image(path, image_shape, any_size=fit is not None)
            images.append(fit(image, path) if fit else image)
            names.append(name)
        except OSError as error:
            if not skip_bad:
                raise
            bad.append(error)
    if bad:
        left_out = counted(len(bad), "unreadable file")
        logging.getLogger("vqzoo").warning("left out %s: %s", left_out, bad[0])
    if not images:
        raise FileNotFoundError(f"no readable image in {', '.join(map(str, paths))}")
    return images, names


def _check_names(found):
    """Raises ValueError if two images have one name but for the suffix, as what is made of them.

    Args:
        found: pairs of path and name, as of `_find`.
    """
    paths = {}
    for path, name in found:
        stem = pathlib.Path(name).with_suffix("")
        other = paths.setdefault(stem, path)
        if other is path:
            continue
        advice = "name their common folder instead"
        if other.parent == path.parent:
            advice = "name it once" if other == path else "rename one of them"
        raise ValueError(f"two images are called {stem}: {other} and {path}; {advice}")


def _find(paths):
    """Yields each image's path and name."""
    from vqzoo.data.image_file import SUFFIXES

    for path in paths:
        if not path.is_dir():
            yield path, path.name
            continue
        for file in sorted(path.rglob("*")):  # file systems list names in any order
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield file, str(file.relative_to(path))


def check_targets(folder, paths, mask=None):
    """Makes sure that `write_images` replaces none of the images that it was made of.

    Args:
        folder: path that will be written to.
        paths: list of paths of files or folders, as for `read_images`.
        mask: path of one more file that must stay, or None.

    Raises:
        UsageError: naming the file that would be replaced.
    """
    found = list(_find(paths))
    sources = {path.resolve() for path, _ in found} | ({mask.resolve()} if mask else set())
    for _, name in found:
        target = _target(folder, name)
        if target.resolve() in sources:
            raise UsageError(f"argument --output: {target} would replace one of the inputs")


def _target(folder, name):
    return (pathlib.Path(folder) / name).with_suffix(".png")


def counted(number, what):
    """Such as "1 image" or "2 images"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def write_images(folder, images, names):
    """Writes one PNG for each image, called as its name but for the suffix.

    Args:
        folder: path; made if it does not exist. Files in it that are called so are replaced.
        images: list of uint8 `(height, width, channels)`, or an array of them.
        names: list of str.
    """
    from vqzoo.evaluation.pictures import save_png

    for image, name in zip(images, names, strict=True):
        save_png(_target(folder, name), image)
    print(f"wrote {counted(len(images), 'image')} to {folder}/")
