"""A whole grid: its cells one after the other, by one process or several."""

import dataclasses
import json

from vqzoo import config as configs
from vqzoo.checks import checked_bool, checked_choice, checked_int, checked_path, shown
from vqzoo.data import open_source
from vqzoo.data.subset import evenly_spaced
from vqzoo.evaluation.grid_scores import Effort
from vqzoo.grid.cell import Cell
from vqzoo.grid.images import feature_network, find_data
from vqzoo.grid.report import write_report
from vqzoo.grid.settings import check_settings, write_settings
from vqzoo.grid.turns import take_turns
from vqzoo.grid.variants import GRIDS, with_images, with_parts, with_seed

DEFAULTS, SMOKE_DEFAULTS = {"seeds": 2, "epochs": 10}, {"seeds": 1, "epochs": 1}
SMOKE_IMAGES = 256
"""Images of each split that a smoke run uses at most."""

OWN = ("posterior", "scale", "seed")
"""Arguments of the autoencoder by which the cells of a grid differ."""

SMOKE_EFFORT = Effort(images=64, few=16)


@dataclasses.dataclass
class Grid:
    """All variants of a model, each under several seeds, trained and scored on the same images.

    Table 1 and Section 5 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020).

    ```python
    results = vqzoo.grid.Grid("discrete_vae", data="my_images/", seeds=2, epochs=10).run()
    ```

    Args:
        name: str, `"discrete_vae"`.
        data: str, name of a data set that an entry of the zoo is trained on, or path of a folder of
            images of one size, with sides divisible by 4.
        seeds: int, trainings of each variant; None for 2, and 1 with `smoke`.
        images: int, training images, evenly spaced; None for all, and at most 256 with `smoke`.
        epochs: int, passes over them in every stage of training; None for 10, and 1 with `smoke`.
        folder: path to write to; None for `runs/grid_NAME`.
        only: list of variants to train, to which the one whose scale they need is added; None for
            all.
        smoke: bool, whether the variants are made tiny by their entries' `smoke`: a check in a
            minute.
        autoencoder, network: dicts of arguments in place of those of the entries, for the
            autoencoder and for the network of the priors that have one; None to change nothing.

    Raises:
        FileNotFoundError: if there are no such images.
        ValueError: if an argument is wrong, or the folder holds a grid of other settings.
    """

    name: str
    data: str
    seeds: int | None = None
    images: int | None = None
    epochs: int | None = None
    folder: str | None = None
    only: list | None = None
    smoke: bool = False
    autoencoder: dict | None = None
    network: dict | None = None

    def __post_init__(self):
        checked_choice(self.name, "name", GRIDS)
        checked_bool(self.smoke, "smoke")
        defaults = SMOKE_DEFAULTS if self.smoke else DEFAULTS
        for argument in ("seeds", "epochs", "images"):
            if getattr(self, argument) is None:
                setattr(self, argument, defaults.get(argument))
            else:
                checked_int(getattr(self, argument), argument)
        self.autoencoder = _checked_arguments(self.autoencoder, "autoencoder")
        self.network = _checked_arguments(self.network, "network")
        default = f"runs/grid_{self.name}" + ("_smoke" if self.smoke else "")
        self.folder = checked_path(self.folder or default, "folder")
        self._data, self._images_folder = find_data(self.data)
        self._entries = self._configs()
        check_settings(self.folder, self.settings)

    def _configs(self):
        """The configurations by variant, the one that gives the scale first."""
        entries = GRIDS[self.name]
        reference = next(iter(entries))
        chosen = list(entries) if self.only is None else [reference, *self.only]
        found = {}
        for variant in chosen:
            checked_choice(variant, "only", entries)
            config = configs.load_config(entries[variant])
            smoke = config.pop("smoke")
            found[variant] = configs.merge(config, smoke) if self.smoke else config
            changed = with_parts(found[variant], self.autoencoder, self.network)
            configs.check({**changed, "data": self._data})
        return found

    @property
    def settings(self):
        """dict of what all cells of a folder have in common."""
        folder = self._images_folder
        return {
            "grid": self.name,
            "data": str(self.data if folder is None else folder.resolve()),
            "images": self.images,
            "epochs": self.epochs,
            "smoke": self.smoke,
            "autoencoder": self.autoencoder,
            "network": self.network,
        }

    def run(self):
        """Trains and scores every cell that is not finished, and writes what came out.

        Stopped and called again it goes on. Several processes may work on one folder: a cell that
        another one has is left to it, and what it is needed for is waited for.

        Returns:
            dict, the content of `grid.json`.

        Raises:
            FileNotFoundError, OSError: if images are missing or unreadable, or a folder cannot be
                written.
            ValueError: if an image has another size than the first, there are fewer than `images`,
                or a cell was started with another configuration.
            FloatingPointError: if a loss or a weight stops being finite.
        """
        images = self._open_images()
        write_settings(self.folder, self.settings)
        network, count = feature_network(self._data), len(images["train"])
        effort = SMOKE_EFFORT if self.smoke else Effort()

        def train(cell):
            config = with_images(self._entries[cell.variant], self._data, count, self.epochs)
            config = with_parts(config, self.autoencoder, self.network)
            config = with_seed(config, cell.seed, cell.scale)
            if cell.run(config, images, effort, network):
                write_report(self.folder, self.settings)

        take_turns(self._cells(), train)
        return write_report(self.folder, self.settings)

    def _cells(self):
        """Those that fit a scale first: a second process can then begin with another seed."""
        reference, *others = self._entries

        def cell(variant, seed, of=None):
            return Cell(self.folder / f"{variant}-seed{seed}", variant, seed, of)

        first = [cell(reference, seed) for seed in range(self.seeds)]
        return first + [cell(variant, of.seed, of) for of in first for variant in others]

    def _open_images(self):
        splits, folder = ("train", "test"), self._images_folder
        images = {split: open_source(self._data, split, folder) for split in splits}
        count = len(images["train"])
        if self.images is not None and self.images > count:
            raise ValueError(
                f"`images` must be at most {count}, the number of training images. "
                f"Received: {self.images}"
            )
        few = SMOKE_IMAGES if self.smoke else None
        most = {"train": self.images or few, "test": few}
        return {split: evenly_spaced(images[split], most[split]) for split in images}


def _checked_arguments(value, argument):
    """A dict of arguments of a part, or a ValueError; an empty one for None."""
    if not isinstance(value, (dict, type(None))) or set(value or ()) & set(OWN):
        raise ValueError(
            f"`{argument}` must be a dict of arguments other than {', '.join(OWN)}, which are the "
            f"grid's own. Received: {shown(value)}"
        )
    try:  # as they will be read from files: a tuple as a list
        return json.loads(json.dumps(value or {}))
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{argument}` must hold what JSON can: {error}") from error
