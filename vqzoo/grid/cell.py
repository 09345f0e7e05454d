"""One cell of a grid: a variant under one seed, trained and scored in a folder of its own."""

import json
import sys
import time

import numpy as np

from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.evaluation.grid_scores import SEED, cell_scores
from vqzoo.evaluation.pictures import grid as picture_grid
from vqzoo.evaluation.pictures import save_png
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.recipe import Recipe
from vqzoo.training.results import write_results
from vqzoo.training.run_folder import RunFolder
from vqzoo.training.space import bytes_needed

SCORES, SAMPLES, CODES = "scores.json", "samples.png", "codes.png"
COLUMNS = 10
"""Images in a row of a picture."""


class Cell:
    """A variant and a seed, and what is known of them.

    Args:
        folder: path of the cell's run folder.
        variant: str.
        seed: int.
        reference: `Cell` whose fitted scale this one's likelihood has; None: it fits its own.
    """

    def __init__(self, folder, variant, seed, reference=None):
        self.folder, self.variant, self.seed = folder, variant, seed
        self.reference = reference

    @property
    def is_ready(self):
        """bool, whether all that training needs is there."""
        return self.reference is None or self.reference.results() is not None

    @property
    def scale(self):
        """float, grey levels, of the likelihood; None for a scale that is to be fitted."""
        return self.reference and self.reference.results()["scores"]["scale"]

    def results(self):
        """The content of `scores.json`, a dict, or None before the cell is finished."""
        path = self.folder / SCORES
        return json.loads(path.read_text("utf-8")) if path.is_file() else None

    def run(self, config, images, effort, network):
        """Trains and scores what is not done yet.

        Args:
            config: dict, a checked configuration.
            images: dict of `ImageSource`, "train" and "test".
            effort, network: as for `vqzoo.evaluation.grid_scores.cell_scores`.

        Returns:
            bool, whether there was something to do.

        Raises:
            BlockingIOError: if another process has the cell.
            ValueError: if the folder was started with another configuration.
            OSError: if it cannot be written or the disk is too small.
            FloatingPointError: if a loss or a weight stops being finite.
        """
        with RunFolder(self.folder) as run:
            run.check_config(config)
            if self.results() is not None:
                return False
            print(f"{self.folder.name}: training", file=sys.stderr)
            needed = bytes_needed(zoo.build(config), len(images["train"]))
            run.check_space(needed - run.size())
            run.write_config(config)
            model = Recipe(self.folder, config, images).run()
            self._judge(model, images["test"], effort, network)
            return True

    def _judge(self, model, test, effort, network):
        """Writes pictures and, as the last of all, `scores.json`."""
        start = time.monotonic()
        scores, codes = cell_scores(model, test, effort, network)
        self._draw(model, codes)
        stages = configs.stages(model.config)
        checkpoints = {stage: Checkpoints(self.folder / "checkpoints" / stage) for stage in stages}
        seconds = {stage: kept.notes().get("seconds", 0) for stage, kept in checkpoints.items()}
        seconds["evaluation"] = time.monotonic() - start
        path = self.folder / SCORES
        write_results(path, self.folder.name, model.config, scores, seconds, SEED)

    def _draw(self, model, codes):
        """Writes a grid of samples, and a row of each kind of codes, decoded."""

        def spaced(maps, most):
            return maps[np.arange(most) * len(maps) // most]

        samples = model.decode([spaced(codes["samples"], COLUMNS**2)])
        save_png(self.folder / SAMPLES, picture_grid(samples, COLUMNS))
        rows = np.concatenate([spaced(maps, COLUMNS) for maps in codes.values()])
        save_png(self.folder / CODES, picture_grid(model.decode([rows]), COLUMNS))
