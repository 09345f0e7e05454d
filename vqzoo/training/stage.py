"""One training stage: plain Keras `fit` that can be killed and started again."""

import math
import pathlib

import keras

from vqzoo.checks import checked_choice, shown
from vqzoo.training.callbacks import NameFirstBadTensor, Progress, SaveState
from vqzoo.training.checkpoints import Checkpoints

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
}
SCHEDULES = ("constant", "cosine", "exponential")
COSINE_END = 0.01
"""Last learning rate of the cosine schedule, as a part of the first."""


def make_optimizer(config):
    """The Keras optimizer of a stage's config.

    The cosine is that of [SGDR](https://arxiv.org/abs/1608.03983) without restarts; `adamw` is
    Adam with decoupled weight decay, arXiv:1711.05101.

    Args:
        config: dict with `optimizer` (a key of `OPTIMIZERS`), `learning_rate`, `steps` and
            perhaps `optimizer_arguments` (further ones of the Keras class, such as `beta_1`, or
            `use_ema` and `ema_momentum`: then the stage ends with averages of the weights),
            `schedule` ("constant", the default, "cosine", or "exponential", which multiplies the
            rate by `decay_rate` in every step) and `warmup_steps` (linear, from 0).

    Raises:
        ValueError: if `optimizer` or `schedule` is not one of these, or arguments do not fit them.
    """
    name = checked_choice(config.get("optimizer", "adam"), "optimizer", OPTIMIZERS)
    arguments = config.get("optimizer_arguments", {})
    try:
        return OPTIMIZERS[name](learning_rate=_learning_rate(config), **arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`optimizer_arguments` must be what {name} takes in Keras: {error}. "
            f"Received: {shown(arguments)}"
        ) from error


def _learning_rate(config):
    """The learning rate of a stage's config as Keras takes it, or a ValueError."""
    schedule = checked_choice(config.get("schedule", "constant"), "schedule", SCHEDULES)
    rate, warmup = config["learning_rate"], config.get("warmup_steps", 0)
    exponential = schedule == "exponential"
    if exponential != ("decay_rate" in config) or (exponential and warmup):
        raise ValueError(
            "`decay_rate` must be given with the schedule exponential alone, and without "
            f"`warmup_steps`. Received: {schedule=}, decay_rate={config.get('decay_rate')}, "
            f"warmup_steps={warmup}"
        )
    if exponential:
        return keras.optimizers.schedules.ExponentialDecay(rate, 1, config["decay_rate"])
    if schedule == "constant" and not warmup:
        return rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else rate,
        decay_steps=max(config["steps"] - warmup, 1),
        alpha=COSINE_END if schedule == "cosine" else 1.0,
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )


def fit_stage(model, make_batches, config, folder, name, interval, validation=None, callbacks=()):
    """Trains `model` for `config["steps"]` optimizer steps, going on where it was stopped.

    The state is saved in `folder` before the first step, after every `interval` steps and after
    the last one. A process killed at any moment and started again ends with the weights that it
    would have had (bit-identical on one CPU), provided that `make_batches` and the initial
    weights are functions of the seed. With `validation` the model ends with the weights of the
    lowest validation loss, which are in `folder/best.weights.h5`; else with the last ones, or
    their average if the optimizer keeps one.

    Args:
        model: a built `keras.Model` that needs no loss in `compile`.
        make_batches: function of the number of steps done; gives a data set that `fit` takes,
            with the batches of the steps that are left.
        config: dict of a stage as for `make_optimizer`; `steps` is an int above 0.
        folder: path of this stage's checkpoints.
        name: str, what is trained, for the progress line.
        interval: int, steps between checkpoints; an "epoch" of `fit` is this long.
        validation: `None`, or what `fit` takes as `validation_data`, arrays that are held out.
        callbacks: list of further `keras.callbacks.Callback`; one with a true attribute
            `changes_training` does more than watch.

    Returns:
        dict of the notes of the last checkpoint: `seconds` of training, and with `validation`
        `best_step` and `best_val_loss`.

    Raises:
        ValueError: if the optimizer averages weights, of which `validation` is to choose the best.
        FloatingPointError: if a loss or a variable stops being finite; names it and the step.
        OSError: if a checkpoint cannot be written.
    """
    # Built now: a checkpoint restores the optimizer's state only into variables that exist.
    model.compile(optimizer=make_optimizer(config))
    model.optimizer.build(model.trainable_variables)
    if validation is not None and model.optimizer.use_ema:
        raise ValueError(
            "`optimizer_arguments` must be without `use_ema` for a stage that keeps the weights of "
            f"its best step. Received: {shown(config['optimizer_arguments'])}"
        )
    stage = _Stage(model, make_batches, config, pathlib.Path(folder), interval, validation)
    step, notes = stage.begin()
    if step < config["steps"]:
        saver = SaveState(stage.checkpoints, config["steps"], step, notes, stage.best)
        # Looking at every tensor in every step would slow all runs down for the few that go wrong.
        try:
            stage.fit(step, [Progress(name, config["steps"], step), *callbacks, saver])
        except FloatingPointError as error:
            step, _ = stage.begin()
            # The same steps again: with what changes them, without what only watches.
            again = [each for each in callbacks if getattr(each, "changes_training", False)]
            stage.fit(step, [*again, NameFirstBadTensor(step)])
            raise error  # the repetition went well: it was not the numbers that were at fault
        notes = saver.notes
    if stage.best:
        model.load_weights(stage.best)
    elif model.optimizer.use_ema:  # `fit` has done so, unless it had been stopped right before
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return notes


class _Stage:
    """What a stage's `fit` needs, whether it trains or repeats steps that ended badly."""

    def __init__(self, model, make_batches, config, folder, interval, validation):
        self.model, self.make_batches, self.steps = model, make_batches, config["steps"]
        self.interval, self.validation = interval, validation
        self.batch_size = config["batch_size"]
        self.checkpoints = Checkpoints(folder)
        self.best = folder / "best.weights.h5" if validation is not None else None

    def begin(self):
        """Puts the newest checkpoint into the model, made first if there is none."""
        found = self.checkpoints.restore(self.model)
        if found is None:
            self.checkpoints.save(self.model, 0)
            found = 0, {}
        return found

    def fit(self, step, callbacks):
        self.model.fit(
            self.make_batches(step),
            # Epochs of `fit` are intervals between checkpoints, so that this count stays right.
            initial_epoch=step // self.interval,
            epochs=math.ceil(self.steps / self.interval),
            steps_per_epoch=self.interval,
            validation_data=self.validation,
            validation_batch_size=self.batch_size if self.validation is not None else None,
            shuffle=False,  # the batches come shuffled
            callbacks=callbacks,
            verbose=0,
        )
