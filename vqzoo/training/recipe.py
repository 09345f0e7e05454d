"""The whole recipe of an entry, in one call that can be killed and made again."""

import math
import pathlib

import keras
import numpy as np

from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import models, priors, weights, zoo
from vqzoo.progress import track
from vqzoo.training import files
from vqzoo.training.devices import strategy_scope
from vqzoo.training.run_folder import RunFolder
from vqzoo.training.stage import fit_stage
from vqzoo.training.subset import Subset, hold_out

SMOKE_IMAGES = 512
"""Images of each split that a smoke run uses."""

MAX_INTERVAL = 1000
"""Steps between two checkpoints are one pass over the images, or this many if that is fewer."""

HELD_OUT = 0.05
"""Share of the training images whose codes only choose the best weights of the prior."""

BATCH_SIZE = 256
"""Images encoded or decoded at once where nothing is learnt; of no influence on results."""


def train(name_or_config, data=None, folder=None, smoke=False, skip_bad=False):
    """Trains both stages of an entry, evaluates the model and writes all of it to a run folder.

    Called again with the same arguments it goes on where it was stopped, and ends with the same
    weights, bit for bit on one CPU. It sets the global seeds of Python, NumPy and Keras.

    Args:
        name_or_config: str or path, an entry's name or a YAML file.
        data: path of a folder of images to train on instead of the entry's data set, or None.
        folder: path of the run folder; `runs/NAME` if None.
        smoke: bool, whether the entry's `smoke` overrides apply, on few images: a check of the
            whole recipe in seconds.
        skip_bad: bool, whether unreadable images are left out and counted, not an error.

    Returns:
        The trained `ZooModel`; it is also in `RUN/model/`, for `vqzoo.load`.

    Raises:
        FileNotFoundError: if there is no such entry, or the data are missing.
        ValueError: if a configuration is wrong, or the folder was started with another one.
        OSError: if the folder is in use, cannot be written or the disk is too small.
        FloatingPointError: if a loss or a weight stops being finite, naming it and the step.
    """
    config = configs.load_config(name_or_config)
    name = pathlib.Path(name_or_config).stem
    if smoke:
        config = configs.merge(config, config.get("smoke", {}))
        name = f"{name}-smoke"
    with RunFolder(folder or pathlib.Path("runs") / name) as run:
        config = _with_class_names(config, data)
        run.settle_config(config)
        recipe = Recipe(run, config, data, smoke, skip_bad)
        with strategy_scope():
            return recipe.run()


class Recipe:
    """The steps of one run; each is skipped when its result is there."""

    def __init__(self, run, config, data, smoke, skip_bad):
        self.run_folder, self.folder, self.config, self.smoke = run, run.path, config, smoke
        self.train_images, self.test_images = (
            self._open(split, data, skip_bad) for split in ("train", "test")
        )
        labelled = self.train_images.has_labels
        self.num_classes = len(self.train_images.class_names) if labelled else None

    def run(self):
        """Trains what is not trained yet; returns the `ZooModel`."""
        if (self.folder / "model" / "manifest.json").exists():
            print(f"{self.folder} is finished.")
            return zoo.load(self.folder / "model")
        autoencoder = self.fit_autoencoder()
        stores = {
            "train": self.extract_codes(autoencoder, "train", self.train_images),
            "test": self.extract_codes(autoencoder, "test", self.test_images),
        }
        prior = self.fit_prior(autoencoder, stores["train"])
        hash_ = autoencoder.tokenizer_hash()
        weights.save_folder(self.folder / "model", self.config, autoencoder, prior, hash_)
        return zoo.load(self.folder / "model")

    def fit_autoencoder(self):
        """Stage 1, then the scale of its likelihood; returns the trained autoencoder."""
        stage = self.config["training"]["autoencoder"]
        keras.utils.set_random_seed(stage["seed"])  # decides the initial weights
        arguments = dict(self.config["autoencoder"])
        family = models.FAMILIES[arguments.pop("family")]
        autoencoder = family(image_shape=self.config["data"]["image_shape"], **arguments)
        done = self.folder / "checkpoints" / weights.AUTOENCODER
        if done.exists():
            weights.load_weights(autoencoder, done)
            return autoencoder
        flip = self.config["data"].get("flip", False)

        def make_batches(step):
            order = stage["batch_size"], stage["seed"], stage["steps"], step
            return datasets.training_batches(self.train_images, *order, flip=flip, labels=False)

        folder = done.parent / "autoencoder"
        interval = _interval(self.train_images, stage)
        fit_stage(autoencoder, make_batches, stage, folder, "autoencoder", interval)
        weights.round_to_float16(autoencoder)  # from here on it is what a file will hold
        self.fit_scale(autoencoder)
        weights.save_weights(autoencoder, done)
        return autoencoder

    def fit_scale(self, autoencoder):
        """Fits the scale of the likelihood p(x | z) on the training images."""
        from vqzoo import evaluation

        autoencoder.likelihood_scale.assign(evaluation.fit_scale(autoencoder, self.train_images))

    def extract_codes(self, autoencoder, split, images):
        """The `CodeStore` of the codes of `images`, written if it is not there."""
        folder = self.folder / "codes" / split
        if not folder.exists():
            batches = _code_batches(autoencoder, images, f"encoding {split} images")
            datasets.CodeStore.write(
                folder,
                batches,
                autoencoder.codebook_sizes,
                autoencoder.tokenizer_hash(),
                images.class_names,
                self.config,
            )
        store = datasets.CodeStore(folder)
        store.check_tokenizer(autoencoder.tokenizer_hash())
        return store

    def fit_prior(self, autoencoder, store):
        """Stage 2 on the codes of the training images; returns the best prior."""
        stage = self.config["training"].get("prior")
        if stage:
            keras.utils.set_random_seed(stage["seed"])
        prior = priors.create(self.config["prior"], autoencoder, self.num_classes)
        done = self.folder / "checkpoints" / weights.PRIOR
        if done.exists():
            weights.load_weights(prior, done)
        elif prior.trainable_stage:
            rest, held_out = hold_out(store, HELD_OUT, stage["seed"])

            def make_batches(step):
                order = stage["batch_size"], stage["seed"], stage["steps"], step
                return datasets.code_batches(rest, *order)

            validation = (held_out.take(np.arange(len(held_out))),)
            folder, interval = done.parent / "prior", _interval(rest, stage)
            fit_stage(prior, make_batches, stage, folder, "prior", interval, validation)
            weights.round_to_float16(prior)
            weights.save_weights(prior, done)
        return prior

    def _open(self, split, data, skip_bad):
        source = datasets.open_source(self.config["data"], split, data, skip_bad)
        if not self.smoke or len(source) <= SMOKE_IMAGES:
            return source
        return Subset(source, np.arange(SMOKE_IMAGES) * len(source) // SMOKE_IMAGES)  # all classes


def _interval(source, stage):
    return min(math.ceil(len(source) / stage["batch_size"]), MAX_INTERVAL)


def _with_class_names(config, data):
    """The config with the class names of a folder of images, which may be others."""
    if data is None:
        return config
    names = datasets.folder_class_names(data, config["data"].get("class_names"))
    kept = {key: value for key, value in config["data"].items() if key != "class_names"}
    return {**config, "data": {**kept, "class_names": names} if names else kept}


def _code_batches(autoencoder, images, what):
    """Yields the codes of all images in the form that a prior is trained on."""
    batches = datasets.eval_batches(images, BATCH_SIZE)
    for batch in track(batches, math.ceil(len(images) / BATCH_SIZE), what):
        codes = keras.tree.flatten(autoencoder.encoder_model.predict_on_batch(batch["image"]))
        levels = {f"codes_{i}": np.asarray(level) for i, level in enumerate(codes)}
        yield levels | ({"labels": batch["label"]} if "label" in batch else {})
