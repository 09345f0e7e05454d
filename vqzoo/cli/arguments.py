"""Argument types and options that several commands share."""

import argparse
import pathlib

from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.checks import nearest


class UsageError(Exception):
    """A wrong use that only shows once the arguments are seen together; exit code 2."""


def model_name(text):
    """Argument type: an entry's name, or a folder that `vqzoo train` or `ZooModel.save` wrote."""
    if text and (text in configs.names() or zoo.model_folder(text)):
        return text
    raise argparse.ArgumentTypeError(f"no model named {text!r}; {_entry_meant(text)}")


def entry_or_yaml(text):
    """Argument type: an entry's name or an existing YAML file."""
    if text in configs.names():
        return text
    if text.endswith((".yaml", ".yml")):
        return str(existing_path(text))
    raise argparse.ArgumentTypeError(
        f"no entry named {text!r}; {_entry_meant(text)} The path of a configuration ends in .yaml"
    )


def _entry_meant(text):
    if not text:
        return f"the entries are {', '.join(configs.names())}."
    return f"did you mean {nearest(text, configs.names())}?"


def existing_path(text):
    """Argument type: path of a file or folder; raises `ArgumentTypeError` if there is none."""
    if not text or not pathlib.Path(text).exists():
        raise argparse.ArgumentTypeError(f"there is no file or folder {text!r}")
    return pathlib.Path(text)


def output_folder(text):
    """Argument type: path of a folder to write to; raises `ArgumentTypeError` if it is a file."""
    path = _output(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"must be a folder, and {text!r} is a file")
    return path


def output_file(suffix):
    """Argument type: path of a file to write, which ends in `suffix`, a str such as ".png"."""

    def checked(text):
        path = _output(text)
        if path.suffix.lower() != suffix:
            raise argparse.ArgumentTypeError(f"must be a file that ends in {suffix}, not {text!r}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"must be a file, and {text!r} is a folder")
        return path

    return checked


def _output(text):
    path = pathlib.Path(text)
    if not text:
        raise argparse.ArgumentTypeError("must be a path, not ''")
    above = next((folder for folder in path.parents if folder.exists()), None)
    if above is not None and not above.is_dir():
        raise argparse.ArgumentTypeError(f"cannot be {text!r}, because {str(above)!r} is a file")
    return path


def positive_int(text):
    """Argument type: int; raises `ArgumentTypeError` below 1."""
    return _number(text, int, "a whole number of 1 or more", lambda value: value >= 1)


def device_ids(text):
    """Argument type: distinct ints of 0 or more, such as "0,2"."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or len(set(map(int, parts))) < len(parts):
        raise argparse.ArgumentTypeError(f"must be distinct ids such as 0,1, not {text!r}")
    return [int(part) for part in parts]


def seed(text):
    """Argument type: int; raises `ArgumentTypeError` outside of 0..2**32 - 1."""
    return _number(text, int, "a whole number in 0..4294967295", lambda value: 0 <= value < 2**32)


def positive_float(text):
    """Argument type: float; raises `ArgumentTypeError` unless it is finite and above 0."""
    return _number(text, float, "a number above 0", lambda value: 0 < value < float("inf"))


def probability(text):
    """Argument type: float; raises `ArgumentTypeError` unless it is above 0, at most 1."""
    return _number(text, float, "a number above 0, at most 1", lambda value: 0 < value <= 1)


def _number(text, kind, right, is_right):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not is_right(value):
        raise argparse.ArgumentTypeError(f"must be {right}, not {text!r}")
    return value


def add_model(parser):
    """Adds the positional argument `model`."""
    parser.add_argument(
        "model", type=model_name, metavar="NAME", help="entry of `vqzoo list`, or a model's folder"
    )


def add_images(parser):
    """Adds the positional argument `images` and `--skip-bad`."""
    parser.add_argument(
        "images",
        type=existing_path,
        nargs="+",
        metavar="IMAGE",
        help="PNG or JPEG files, or folders of them",
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out unreadable files")


def add_output_folder(parser, default):
    """Adds `--output FOLDER`."""
    parser.add_argument(
        "--output",
        type=output_folder,
        default=default,
        metavar="FOLDER",
        help=f"default {default}/; files in it that are called so are replaced",
    )


def add_sampling(parser, without):
    """Adds `--labels` and `--seed`; `without` says what happens if no labels are given."""
    parser.add_argument(
        "--labels", metavar="A,B", help=f"class names or ids (otherwise: {without})"
    )
    parser.add_argument("--seed", type=seed, default=0, help="same seed, same images (default 0)")


def labels_of(text, model):
    """The label ids that `--labels` names, checked before the model is loaded.

    Args:
        text: str such as `"sneaker,bag"` or `"7,8"`, or None.
        model: str, what `model_name` accepted.

    Returns:
        List of int, or None if `text` is None.

    Raises:
        UsageError: if there is no such label.
    """
    if text is None:
        return None
    class_names = zoo.describe(model)["config"]["data"].get("class_names")
    labels = [label.strip() for label in text.split(",")]
    unknown = [label for label in labels if not _is_label(label, class_names or [])]
    if unknown:
        hint = _class_meant(unknown[0], class_names)
        raise UsageError(f"argument --labels: {model} has no class {unknown[0]!r}; {hint}")
    return [class_names.index(x) if x in class_names else int(x) for x in labels]


def _class_meant(text, class_names):
    """Names a similar class where there may be one, and says what there is."""
    if not class_names:
        return "it has no classes"
    known = f"it has {', '.join(class_names)}, or ids 0..{len(class_names) - 1}"
    if not text or text.lstrip("+-").isdecimal():
        return known
    return f"did you mean {nearest(text, class_names)}? I{known[1:]}"


def _is_label(text, class_names):
    return text in class_names or (text.isdecimal() and int(text) < len(class_names))
