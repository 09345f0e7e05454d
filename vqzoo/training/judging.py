"""What a run ends with: scores, pictures and `results.json`."""

import shutil
import time

import numpy as np
from PIL import Image

from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import evaluation, zoo
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.event_log import EventLog
from vqzoo.training.results import write_results

SAMPLE_SEED = 0
"""Seed of the samples on which a run is judged."""


def judge(model, images, folder, name, num_samples):
    """Evaluates the model of a run; writes pictures and, as the last of all, `results.json`.

    Args:
        model: `ZooModel`, trained.
        images: dict of `ImageSource`, "train" and "test".
        folder: path of the run folder.
        name: str, of the entry.
        num_samples: int, samples that are scored.

    Raises:
        OSError: if a file cannot be written.
    """
    start, train = time.monotonic(), images["train"]
    if not model.has_prior:  # no maps of codes of one size are wanted of them
        train = datasets.training_source(train, model.config["data"].get("crop"))
    scores = evaluation.evaluate(
        model, images["test"], train, num_samples=num_samples, seed=SAMPLE_SEED
    )
    pictures = evaluation.draw_pictures(model, images["test"], folder, SAMPLE_SEED)
    log = EventLog(folder / "logs" / "pictures")
    for path in pictures:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        log.image(0, path.stem, pixels)
        shutil.copy(path, folder / "model")
    log.close()
    stages = {stage: folder / "checkpoints" / stage for stage in configs.stages(model.config)}
    seconds = {stage: Checkpoints(path).notes().get("seconds", 0) for stage, path in stages.items()}
    seconds["evaluation"] = time.monotonic() - start
    if model.has_prior:
        seconds["a_sample_of_64"] = _seconds_per_sample(model)
    # The run's own copy comes last: a run counts as finished once it is there.
    for place in (folder / "model", folder):
        write_results(place / zoo.RESULTS, name, model.config, scores, seconds, SAMPLE_SEED)


def _seconds_per_sample(model, num_images=64):
    """Wall time of one image when `num_images` are sampled at once; without compiling."""
    model.sample(num_images, seed=SAMPLE_SEED)  # compiles
    start = time.monotonic()
    model.sample(num_images, seed=SAMPLE_SEED)
    return (time.monotonic() - start) / num_images
