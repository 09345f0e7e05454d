"""The table of runs: which settings each has, and which images."""

import dataclasses
import pathlib

import numpy as np
import yaml

from benchmarks.claims import wanted_names
from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo.data.subset import Subset

TABLE = pathlib.Path(__file__).with_name("runs.yaml")
CURVE_IMAGES = 1000
"""Held-out images that a curve is measured on after every epoch; final scores take all."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run of stage 1.

    Attributes:
        name: str, key in `runs.yaml`.
        seed: int, of the initial weights and the order of images.
        epochs: int, passes over the training images.
        data: dict, the `data` section of the zoo entry that the run takes its images from.
        autoencoder: dict, `family` and its constructor's arguments.
        training: dict as for `vqzoo.training.stage.make_optimizer`, without `steps`.
    """

    name: str
    seed: int
    epochs: int
    data: dict
    autoencoder: dict
    training: dict


def read_runs(table=TABLE, only=None, seeds=None):
    """The runs of a table: all of the first seed, then all of the next.

    Args:
        table: path of a YAML file like `runs.yaml`.
        only: list of str, names of the runs wanted; None for all.
        seeds: list of int, seeds wanted; None for the table's.

    Raises:
        ValueError: if `only` names a run that is not in the table.
    """
    content = yaml.safe_load(pathlib.Path(table).read_text(encoding="utf-8"))
    known = content["runs"]
    wanted = wanted_names(known, only, pathlib.Path(table))
    return [
        _run(name, seed, configs.merge(content["base"], known[name]))
        for seed in (content["seeds"] if seeds is None else seeds)
        for name in wanted
    ]


def _run(name, seed, settings):
    data = configs.read_config(settings["data"])["data"]
    parts = {key: settings[key] for key in ("epochs", "autoencoder", "training")}
    return Run(name, seed, data=data, **parts)


class Images:
    """The images of the runs, a data set opened when it is first asked for.

    Args:
        folder: path with a folder of images for each data set, called by the data set's name and
            laid out as for `vqzoo train --data`; None reads the data sets by name.
        limit: int or None, how many training images are used, evenly spaced over the data set's
            order, so that classes keep their shares.

    Raises:
        ValueError: if `limit` is below 1.
    """

    def __init__(self, folder=None, limit=None):
        if limit is not None and limit < 1:
            raise ValueError(f"`images` must be at least 1. Received: {limit}")
        self.folder, self.limit = folder, limit
        self._opened = {}

    def __call__(self, data):
        """dict of image sources, `train`, `test` and `curve`, for the `data` of a config."""
        name = data["name"]
        if name not in self._opened:
            folder = pathlib.Path(self.folder) / name if self.folder else None
            train, test = (datasets.open_source(data, split, folder) for split in ("train", "test"))
            images = {"train": spread(train, self.limit), "test": test}
            self._opened[name] = {**images, "curve": spread(test, CURVE_IMAGES)}
        return self._opened[name]


def spread(source, count):
    """`count` examples evenly spaced over a source; the source if it has no more, or for None."""
    if count is None or count >= len(source):
        return source
    return Subset(source, np.arange(count) * len(source) // count)
