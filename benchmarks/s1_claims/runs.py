"""The table of runs, and how one of each stage is carried out."""

import dataclasses
import math
import pathlib
import statistics
import time

import keras
import numpy as np
import yaml

import vqzoo
from benchmarks.claims import RESULT, provenance, wanted_names
from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import files, priors, zoo
from vqzoo.data.subset import hold_out
from vqzoo.models import VQVAE2
from vqzoo.training.run_folder import RunFolder
from vqzoo.training.stage import fit_stage

TABLE = pathlib.Path(__file__).with_name("runs.yaml")
TESTED, WATCHED = 0.1, 0.05
"""Shares of a store's maps: what priors are measured on, and of the rest what picks the weights."""
MAX_INTERVAL = 500
"""Steps between checkpoints, and between looks at the maps that pick the weights."""
REPEATS = 3


@dataclasses.dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        name: str, key in `runs.yaml`.
        seed: int, of the initial weights and the order of what is trained on.
        stage: str, "autoencoder", "prior" or "speed".
        settings: dict: a zoo configuration for an autoencoder, `network` and `training` for a
            prior, what `runs.yaml` says for the speed.
    """

    name: str
    seed: int
    stage: str
    settings: dict


def read_runs(table=TABLE, only=None, seeds=None):
    """The runs of a table: all of the first seed, then all of the next.

    Args:
        table: path of a YAML file like `runs.yaml`.
        only: list of str, names of the runs wanted; None for all.
        seeds: list of int, seeds wanted; None for the table's.

    Raises:
        ValueError: if `only` names a run that is not in the table.
    """
    table = pathlib.Path(table)
    content = yaml.safe_load(table.read_text(encoding="utf-8"))
    make = {"autoencoder": autoencoder_config, "prior": _prior_settings, "speed": _speed_settings}
    runs = []
    for seed in content["seeds"] if seeds is None else seeds:
        for name in wanted_names(content["runs"], only, table):
            changed = dict(content["runs"][name])
            stage = changed.pop("stage")
            settings = make[stage](content["stages"][stage], changed, seed)
            runs.append(Run(name, seed, stage, settings))
    return runs


def autoencoder_config(shared, changed, seed):
    """The configuration of a first stage: that of the entry, with what a run changes."""
    config = configs.read_config(shared["entry"])
    config.pop("smoke", None)  # which may not fit another number of levels
    training = {"autoencoder": {"steps": shared["steps"], "seed": seed}}
    config = configs.merge(config, {"autoencoder": {**changed, "seed": seed}, "training": training})
    if config["autoencoder"]["num_levels"] == 1:  # its prior is never trained, but has to fit
        config["prior"] = {"family": "AutoregressivePrior", **config["prior"]["levels"][0]}
        config["training"]["prior"] = config["training"]["prior"][0]
    return config


def _prior_settings(shared, changed, seed):
    training = {**shared["training"], "seed": seed}
    return {"network": {**shared["network"], **changed}, "training": training}


def _speed_settings(shared, changed, seed):
    return {**shared, **changed, "seed": seed}


def carry_out(run, source, folder):
    """Carries out a run in `folder`, going on where it was stopped, and writes `result.json`.

    Args:
        run: `Run`.
        source: list of folders of images for an autoencoder, the path of a code store for a
            prior; not looked at for the speed.
        folder: path of this run alone.

    Raises:
        BlockingIOError: if another process has the folder.
        ValueError: if the folder was started with other settings.
    """
    stages = {"autoencoder": train_autoencoder, "prior": train_prior, "speed": time_sampling}
    with RunFolder(folder) as place:
        place.check_config(run.settings)
        place.write_config(run.settings)
        found = stages[run.stage](run, source, place.path)
        content = {"name": run.name, "seed": run.seed, "settings": run.settings, **found}
        files.write_json(place.path / RESULT, {**content, **provenance()})


def train_autoencoder(run, images, folder):
    """Trains the first stage; returns the error on the test images and what it was reached with."""
    config = folder / f"{run.name}.yaml"
    files.write_text(config, configs.dump(run.settings))
    vqzoo.train(config, data=images, folder=folder / "run", tokenizer_only=True)
    results = zoo.describe(folder / "run" / "model")["results"]
    scores = results["scores"]
    return {
        "mse": scores["reconstruction"]["mse"],
        "code_bits": scores["size"]["code_bits_per_image"],
        "parameters": scores["size"]["autoencoder_parameters"],
        "usage": [level["usage"] for level in scores["codebook"].values()],
        "wall_seconds": results["wall_seconds"]["autoencoder"],
    }


def train_prior(run, codes, folder):
    """Trains a prior of the coarsest level; returns its nats per code on maps held out and not."""
    store, stage = datasets.CodeStore(codes), run.settings["training"]
    # The same maps for all seeds: what differs is the weights and the order.
    rest, test = hold_out(store, TESTED, seed=0)
    train, watched = hold_out(rest, WATCHED, seed=0)
    num_classes = len(store.class_names) if store.class_names else None
    keras.utils.set_random_seed(run.seed)
    sizes = store.latent_shapes[:1], store.codebook_sizes[:1], num_classes
    prior = priors.AutoregressivePrior.for_latents(*sizes, run.settings["network"])

    def make_batches(step):
        return datasets.code_batches(train, stage["batch_size"], run.seed, stage["steps"], step)

    interval = min(math.ceil(len(train) / stage["batch_size"]), MAX_INTERVAL)
    watched, name = (watched.take(range(len(watched))),), f"{run.name}, seed {run.seed}"
    notes = fit_stage(prior, make_batches, stage, folder / "checkpoints", name, interval, watched)
    return {
        "nats_per_code": nats_per_code(prior, test),
        "train_nats_per_code": nats_per_code(prior, train),
        "best_step": notes["best_step"],
        "parameters": prior.count_params(),
        "tokenizer_hash": store.tokenizer_hash,
        "maps": {"train": len(train), "test": len(test)},
        "wall_seconds": notes["seconds"],
    }


def nats_per_code(prior, codes):
    """Mean negative log-probability in nats of a code of the prior's level, over a source."""
    batch = codes.take(np.arange(len(codes)))
    log_probs = prior.log_prob([batch["codes_0"]], batch.get("labels"))
    return float(-np.mean(log_probs, dtype="float64") / batch["codes_0"][0].size)


def time_sampling(run, _, __):
    """Times drawing the codes of an image and decoding them, and drawing pixels instead.

    Pixels are drawn as the paper's ancestors do, one value of 256 at a time: a row of the image is
    a row of width x channels values. The network is that of the finest level of codes.
    """
    settings = run.settings
    keras.utils.set_random_seed(run.seed)
    autoencoder, network = VQVAE2(**settings["autoencoder"]), settings["network"]
    shapes, sizes = autoencoder.latent_shapes, autoencoder.codebook_sizes
    plain = {**network, "attention_after": []}
    levels = [{"network": plain, "conditioning": settings["conditioning"]} for _ in shapes]
    levels[0] = {"network": {**network, "attention_after": settings["attention_after"]}}
    prior = priors.HierarchicalPrior.for_latents(shapes, sizes, None, levels)
    height, width, channels = autoencoder.image_shape
    rows = settings["pixel_rows"]
    pixels = priors.AutoregressivePrior.for_latents([(rows, width * channels)], [256], None, plain)
    batch = settings["batch"]
    codes, decode = prior.sample(batch), autoencoder.decoder_model.predict_on_batch
    return {
        "codes": sum(math.prod(shape) for shape in shapes),
        "pixel_values": height * width * channels,
        "code_seconds": seconds(lambda: prior.sample(batch)) / batch,
        "decoder_seconds": seconds(lambda: decode(codes)) / batch,
        "pixel_seconds": seconds(lambda: pixels.sample(batch)) / batch * height / rows,
    }


def seconds(function):
    """Median wall time of a call, after one that compiles."""
    function()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return statistics.median(found)
