"""The whole recipe of an entry, in one call that can be killed and made again."""

import math
import pathlib
import sys

import keras
import numpy as np

from vqzoo import config as configs
from vqzoo import data as datasets
from vqzoo import evaluation, models, priors, weights, zoo
from vqzoo.checks import checked_bool, checked_path
from vqzoo.in_memory import DRAWS_SEED
from vqzoo.models.joint_training import JointTraining
from vqzoo.progress import track
from vqzoo.training.devices import training_scope
from vqzoo.training.event_callback import EventCallback
from vqzoo.training.judging import judge
from vqzoo.training.precision import precision
from vqzoo.training.run_folder import RunFolder
from vqzoo.training.run_images import checked_folders, open_images, with_class_names
from vqzoo.training.space import bytes_needed
from vqzoo.training.stage import fit_stage, make_optimizer
from vqzoo.training.starting_point import starting_point
from vqzoo.data.subset import hold_out

SMOKE_IMAGES, SMOKE_SAMPLES = 256, 100
"""Images of each split that a smoke run uses, and samples that it judges: as many as the picture
of samples shows for ten classes, so that one compiled sampler serves both."""

NUM_SAMPLES = 2000
"""Samples on which a run is judged."""

MAX_INTERVAL = 1000
"""Steps between two checkpoints are one pass over the images, or this many if that is fewer."""

LAST = "last_autoencoder.weights.h5"
"""An autoencoder at the end of its training, before the scale of its likelihood is fitted."""

HELD_OUT = 0.05
"""Share of the training images whose codes only choose the best weights of the prior."""


def train(
    name_or_config,
    data=None,
    folder=None,
    smoke=False,
    skip_bad=False,
    start_from=None,
    tokenizer_only=False,
):
    """Trains both stages of an entry, evaluates the model and writes all of it to a run folder.

    Called again with the same arguments it goes on where it was stopped, and ends with the same
    weights, bit for bit on one CPU. It sets the global seeds of Python, NumPy and Keras.

    Args:
        name_or_config: str or path, an entry's name or a YAML file.
        data: path of a folder of images to train on instead of the entry's data set, or None; or a
            list of such paths, which the autoencoder sees equally often. The test images are those
            of the first.
        folder: path of the run folder; `runs/NAME` if None.
        smoke: bool, whether the entry's `smoke` overrides apply, on few images: a check of the
            whole recipe in seconds. With `start_from` it is those of `training` alone.
        skip_bad: bool, whether unreadable images are left out and counted, not an error.
        start_from: str or path, an entry or the folder of a model, whose weights are trained
            further instead of random ones; None: what the configuration says, if it does.
        tokenizer_only: bool, whether the run ends after stage 1, with a model that encodes and
            decodes; called again without it, the run goes on with the prior.

    Returns:
        The trained `ZooModel`; it is also in `RUN/model/`, for `vqzoo.load`.

    Raises:
        FileNotFoundError: if there is no such entry, or data or weights are missing.
        ValueError: if a configuration is wrong, does not fit the weights of `start_from`, or the
            folder was started with another one.
        OSError: if the folder is in use, cannot be written or the disk is too small.
        FloatingPointError: if a loss or a weight stops being finite, naming it and the step.
    """
    config = configs.load_config(name_or_config)
    folders = checked_folders(data)
    flags = {"smoke": smoke, "skip_bad": skip_bad, "tokenizer_only": tokenizer_only}
    _check_arguments(config, folder, flags, start_from)
    config, start = _with_start(config, start_from, smoke)
    name = pathlib.Path(name_or_config).stem
    default = pathlib.Path("runs") / (f"{name}-smoke" if smoke else name)
    with RunFolder(folder or default) as run:
        config = with_class_names(config, folders)
        run.check_config(config)
        if (run.path / zoo.RESULTS).exists():
            trained = zoo.load(run.path / "model")
            if tokenizer_only or trained.has_prior:
                _say(f"{run.path} is finished: nothing is left to train")
                return trained
        untrained = zoo.build(config)  # an argument that is wrong shows before the data is read
        _check_crop(config["data"].get("crop"), untrained.autoencoder)
        if start:
            start.check(untrained.autoencoder)
            _say(start.describe(untrained.prior, config))
        most = SMOKE_IMAGES if smoke else None
        whole = untrained.prior.trainable_stage and not tokenizer_only  # for codes, later on
        images = open_images(config["data"], folders, most, skip_bad, whole)
        needed = bytes_needed(untrained, len(images["train"]))
        run.check_space(needed - run.size())
        run.write_config(config)  # not before: a run that could not start claims no folder
        model = Recipe(run.path, config, images, start).run(tokenizer_only)
        judge(model, images, run.path, name, SMOKE_SAMPLES if smoke else NUM_SAMPLES)
        _say(f"wrote {run.path / 'model'}, {zoo.RESULTS} and pictures in {run.path}")
        return model


def _check_arguments(config, folder, flags, start_from):
    """Checks what can be wrong before any data is read."""
    for argument, flag in flags.items():
        checked_bool(flag, argument)
    for argument, path in (("folder", folder), ("start_from", start_from)):
        if path is not None:
            checked_path(path, argument)
    if flags["tokenizer_only"] and "joint" in config["training"]:
        raise ValueError(
            "`tokenizer_only` must be False for an entry whose autoencoder and prior are trained "
            "together. Received: True"
        )
    for stage in configs.stages(config).values():
        make_optimizer(stage)  # which knows the names of optimizers and schedules
        with precision(stage):  # and that those of number formats
            pass


def _check_crop(crop, autoencoder):
    """Raises ValueError unless images of the size `crop`, if it is not None, can be encoded."""
    height, width, _ = autoencoder.image_shape
    stride = autoencoder.stride
    fits = crop == [height, width] if stride is None else not any(n % stride for n in crop or ())
    if crop is not None and not fits:
        right = f"[{height}, {width}]" if stride is None else f"multiples of {stride}"
        raise ValueError(f"`data.crop` must be {right} for this autoencoder. Received: {crop}")


class Recipe:
    """The stages of one run; each part is skipped when its result is there.

    Args:
        folder: path of the run folder.
        config: dict, the run's configuration.
        images: dict of `ImageSource`, "train" and "test".
        start: `StartingPoint`, or None for random weights.
    """

    def __init__(self, folder, config, images, start=None):
        self.folder, self.config, self.images, self.start = folder, config, images, start
        self.checkpoints = folder / "checkpoints"

    def run(self, tokenizer_only=False):
        """Trains what is not trained yet; returns the `ZooModel` as it is in `RUN/model/`."""
        joint = "joint" in self.config["training"]
        autoencoder = self.fit_jointly() if joint else self.fit_autoencoder()
        prior, hash_ = None, autoencoder.tokenizer_hash()
        if not tokenizer_only:
            prior = self.fit_prior(autoencoder)
        trained = prior if prior and prior.weights else None
        weights.save_folder(self.folder / "model", self.config, autoencoder, trained, hash_)
        return zoo.load(self.folder / "model")

    def fit_autoencoder(self):
        """Stage 1, then the scale of its likelihood; returns the trained autoencoder."""
        stage = self.config["training"]["autoencoder"]
        if not (self.checkpoints / weights.AUTOENCODER).exists():
            with training_scope(), precision(stage):
                autoencoder = self._new_autoencoder(stage, started=True)
                self._fit_on_images(autoencoder, autoencoder, stage, "autoencoder")
            self._finish_autoencoder(stage)
        return self._trained_autoencoder(stage)

    def fit_jointly(self):
        """Both parts in one stage; returns the autoencoder, leaves the prior for `fit_prior`."""
        stage = self.config["training"]["joint"]
        if not (self.checkpoints / weights.AUTOENCODER).exists():
            with training_scope(), precision(stage):
                autoencoder = self._new_autoencoder(stage, started=True)
                prior = self._new_prior(autoencoder, stage["seed"])
                if self.start:
                    self.start.restore_prior(prior, self.config)
                self._fit_on_images(JointTraining(autoencoder, prior), autoencoder, stage, "joint")
                if prior.weights:
                    weights.round_to_float16(prior)
                    weights.save_weights(prior, self.checkpoints / weights.PRIOR)
            self._finish_autoencoder(stage)
        return self._trained_autoencoder(stage)

    def _new_autoencoder(self, stage, started=False):
        keras.utils.set_random_seed(stage["seed"])  # decides the initial weights
        arguments = {"image_shape": self.config["data"]["image_shape"]}
        arguments |= self.config["autoencoder"]
        autoencoder = models.FAMILIES[arguments.pop("family")](**arguments)
        if started and self.start:
            self.start.restore_autoencoder(autoencoder)
        return autoencoder

    def _fit_on_images(self, model, autoencoder, stage, name):
        """Trains `model`, of which `autoencoder` is all or a part, and keeps the autoencoder."""
        data, images = self.config["data"], self._training_images()

        def make_batches(step):
            order = stage["batch_size"], stage["seed"], stage["steps"], step
            return datasets.training_batches(
                images, *order, flip=data.get("flip", False), labels=False
            )

        count = datasets.images_at_once(images)
        few = images.take(np.linspace(0, len(images) - 1, count).astype("int64"))
        callbacks = autoencoder.training_callbacks(stage["steps"])
        log = self.folder / "logs" / name
        callbacks.append(EventCallback(log, name, autoencoder, few["image"]))
        folder, interval = self.checkpoints / name, _interval(images, stage)
        fit_stage(model, make_batches, stage, folder, name, interval, None, callbacks)
        weights.round_to_float16(autoencoder)  # now it is what a file will hold
        weights.save_weights(autoencoder, self.checkpoints / LAST)

    def _training_images(self):
        return datasets.training_source(self.images["train"], self.config["data"].get("crop"))

    def _finish_autoencoder(self, stage):
        """Fits the scale of the likelihood where that is due; the last step of stage 1."""
        autoencoder = self._new_autoencoder(stage)
        weights.load_weights(autoencoder, self.checkpoints / LAST)
        if autoencoder.fits_scale:
            scale = evaluation.fit_scale(autoencoder, self._training_images())
            autoencoder.likelihood_scale.assign(scale)
        weights.save_weights(autoencoder, self.checkpoints / weights.AUTOENCODER)

    def _trained_autoencoder(self, stage):
        autoencoder = self._new_autoencoder(stage)
        weights.load_weights(autoencoder, self.checkpoints / weights.AUTOENCODER)
        return autoencoder

    def extract_codes(self, autoencoder):
        """The `CodeStore` of the training images, written if it is not there.

        Of a posterior that is no function of the image it holds one draw for each image.
        """
        folder, images = self.folder / "codes" / "train", self.images["train"]
        hash_ = autoencoder.tokenizer_hash()
        if not folder.exists():
            batches = _code_batches(autoencoder, images, "encoding training images")
            sizes = autoencoder.codebook_sizes
            datasets.CodeStore.write(
                folder, batches, sizes, hash_, images.class_names, self.config
            )
        store = datasets.CodeStore(folder)
        store.check_tokenizer(hash_)
        return store

    def fit_prior(self, autoencoder):
        """Stage 2 on the codes of the training images; returns the best prior.

        Every level of a prior that has several is trained on its own, coarse to fine. A prior
        without weights needs no training, and no codes either.
        """
        prior = self._new_prior(autoencoder)
        if not prior.trainable_stage:
            return prior
        levels = getattr(prior, "levels", [prior])
        stages = configs.stages(self.config)
        stages.pop("autoencoder", None)
        if "joint" in stages:  # its file is there already
            stages = {"prior": stages["joint"]}
        for index, (name, level) in enumerate(zip(stages, levels, strict=True)):
            done = self.checkpoints / f"{name}.weights.h5"
            if not done.exists():
                self._fit_level(autoencoder, index, name, stages[name], done)
            weights.load_weights(level, done)
        return prior

    def _new_prior(self, autoencoder, seed=0):
        keras.utils.set_random_seed(seed)  # decides the initial weights
        return priors.create(self.config["prior"], autoencoder, configs.num_classes(self.config))

    def _fit_level(self, autoencoder, index, name, stage, done):
        """Trains one level of the prior, or the whole of one that has no levels, into `done`."""
        store = self.extract_codes(autoencoder)
        rest, held_out = hold_out(store, HELD_OUT, stage["seed"])

        def make_batches(step):
            order = stage["batch_size"], stage["seed"], stage["steps"], step
            return datasets.code_batches(rest, *order)

        validation = (held_out.take(_whole_batches(len(held_out), stage["batch_size"])),)
        events = EventCallback(self.folder / "logs" / name, name)
        with training_scope(), precision(stage):
            prior, interval = self._new_prior(autoencoder, stage["seed"]), _interval(rest, stage)
            if self.start:
                self.start.restore_prior(prior, self.config)
            trained = prior.levels[index] if hasattr(prior, "levels") else prior
            fit_stage(
                trained,
                make_batches,
                stage,
                self.checkpoints / name,
                name,
                interval,
                validation,
                [events],
            )
            weights.round_to_float16(trained)
            weights.save_weights(trained, done)


def _with_start(config, start_from, smoke):
    """The config that `train` runs and its `StartingPoint`, or None for random weights."""
    start = starting_point(config, start_from)
    if smoke:
        overrides = config.get("smoke", {})  # with weights to start from the networks are given
        kept = {key: value for key, value in overrides.items() if key == "training" or not start}
        config = configs.merge(config, kept)
    return ({**config, "start_from": start.record} if start else config), start


def _interval(source, stage):
    return min(math.ceil(len(source) / stage["batch_size"]), MAX_INTERVAL)


def _whole_batches(count, batch_size):
    """Indices of so many examples that all batches are of one size, and divisible by replicas.

    Keras builds a model on replicas from a first batch whose parts must be of one size.
    """
    unit = next(size for size in (batch_size, 8, 1) if size <= count)
    return np.arange(count // unit * unit)


def _code_batches(autoencoder, images, what):
    """Yields the codes of all images in the form that a prior is trained on."""
    batch_size = datasets.images_at_once(images)
    batches = datasets.eval_batches(images, batch_size)
    first = 0
    for batch in track(batches, math.ceil(len(images) / batch_size), what):
        indices = first + np.arange(len(batch["image"]))
        _, codes, _ = autoencoder.posterior(batch["image"], DRAWS_SEED, indices)
        first += len(indices)
        levels = {f"codes_{i}": np.asarray(level) for i, level in enumerate(codes)}
        yield levels | ({"labels": batch["label"]} if "label" in batch else {})


def _say(text):
    print(text, file=sys.stderr)
