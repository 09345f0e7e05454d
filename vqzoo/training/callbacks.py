"""Keras callbacks of a training stage: exact end, checkpoints, finite numbers, progress."""

import sys
import time

import keras
import numpy as np

from vqzoo import files


class SaveState(keras.callbacks.Callback):
    """Ends `fit` after exactly `steps` optimizer steps and saves the state after each epoch.

    Args:
        checkpoints: a `Checkpoints`.
        steps: int, optimizer steps of the whole stage.
        step: int, steps done before this `fit`.
        notes: dict from the last checkpoint.
        best: path of a `.weights.h5` that holds the weights of the lowest `val_loss`, or `None`.
    """

    def __init__(self, checkpoints, steps, step, notes, best=None):
        super().__init__()
        self.checkpoints, self.steps, self.step = checkpoints, steps, step
        self.notes, self.best = dict(notes), best
        self.seconds_before = self.notes.get("seconds", 0.0)

    def on_train_begin(self, logs=None):
        self.start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            raise FloatingPointError(f"the loss is not finite at step {self.step}")
        if self.step >= self.steps:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        # A loss can be finite while the weights are not any more: such a state is never saved.
        name = first_not_finite(self.model)
        if name:
            raise FloatingPointError(f"`{name}` is not finite at step {self.step}")
        if self.best and logs["val_loss"] < self.notes.get("best_val_loss", np.inf):
            self.notes.update(best_val_loss=float(logs["val_loss"]), best_step=self.step)
            save_weights_whole(self.model, self.best)
        # Of the runs before it was stopped, too: the notes travel with the checkpoint.
        self.notes["seconds"] = self.seconds_before + time.monotonic() - self.start
        self.checkpoints.save(self.model, self.step, self.notes)


class NameFirstBadTensor(keras.callbacks.Callback):
    """Stops at the first step after which a loss or a variable is not finite, and names it.

    It looks at every variable after every step, which is slow: `fit_stage` uses it only to
    repeat, from the last good checkpoint, the steps that ended badly.

    Args:
        step: int, steps done before this `fit`.
    """

    def __init__(self, step):
        super().__init__()
        self.first_step = self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        # The sum `loss` comes last: the term that spoilt it says more.
        for key in sorted(logs or {}, key=lambda key: key == "loss"):
            if not np.isfinite(logs[key]):
                self._stop(f"`{key}` is {logs[key]}")
        name = first_not_finite(self.model)
        if name:
            self._stop(f"the update of `{name}` is not finite though the loss is")

    def _stop(self, what):
        raise FloatingPointError(
            f"Training stopped at step {self.step}: {what}. "
            f"The last good checkpoint is that of step {self.first_step}."
        )


class Progress(keras.callbacks.Callback):
    """One line on stderr after each epoch of `fit`: step, metrics, minutes left.

    On a terminal the line also moves between epochs. Below a codebook usage of 10 % it warns.

    Args:
        name: str, what is trained.
        steps: int, optimizer steps of the whole stage.
        step: int, steps done before this `fit`.
    """

    def __init__(self, name, steps, step):
        super().__init__()
        self.name, self.steps, self.step, self.first_step = name, steps, step, step

    def on_train_begin(self, logs=None):
        self.start = self.shown = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if sys.stderr.isatty() and time.monotonic() - self.shown > 1:
            self.shown = time.monotonic()
            sys.stderr.write("\r" + self._line(logs) + "\x1b[K")
            sys.stderr.flush()

    def on_epoch_end(self, epoch, logs=None):
        start = "\r" if sys.stderr.isatty() else ""
        print(start + self._line(logs), file=sys.stderr, flush=True)
        for key, value in (logs or {}).items():
            if key.startswith("usage") and value < 0.1:
                print(
                    f"warning: {self.name} uses {value:.1%} of its codebook ({key}, below 10 %): "
                    "the codes carry less than they could.",
                    file=sys.stderr,
                )

    def _line(self, logs):
        elapsed = time.monotonic() - self.start
        # By the pace of this process alone; the one before may have run on another machine.
        left = elapsed / max(self.step - self.first_step, 1) * (self.steps - self.step)
        metrics = ", ".join(f"{key} {value:.4g}" for key, value in (logs or {}).items())
        done = f"{self.name}: step {self.step}/{self.steps}"
        return f"{done}, {metrics}, {_duration(left)} left"


def first_not_finite(model):
    """Path of the first variable of a compiled model that holds NaN or infinity, or `None`."""
    for variable in [*model.variables, *model.optimizer.variables]:
        array = keras.ops.convert_to_numpy(variable)
        if not np.isfinite(array.astype("float32", copy=False)).all():
            return variable.path
    return None


def save_weights_whole(model, path):
    """`model.save_weights(path)` through a temporary file, so that `path` is always whole."""
    with files.whole_file(path) as temporary:
        model.save_weights(temporary)
        files.sync(temporary)


def _duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
