"""A training stage of milliseconds, with every kind of state that a checkpoint must hold."""

import sys
import time

import keras
import numpy as np
from keras import ops

from vqzoo.training.stage import fit_stage

STEPS, INTERVAL = 23, 5
CONFIG = {"learning_rate": 0.01, "schedule": "cosine", "batch_size": 4, "steps": STEPS}


@keras.saving.register_keras_serializable(package="tests")
class TinyModel(keras.Model):
    """Linear regression on its own inputs, with dropout noise and a moving average."""

    def __init__(self):
        super().__init__(name="tiny")
        self.dropout = keras.layers.Dropout(0.5)
        self.dense = keras.layers.Dense(3, name="dense")
        self.dense.build((None, 3))
        self.average = self.add_weight(name="average", shape=(3,), trainable=False)
        self.built = True

    def call(self, inputs, training=False):
        if training:
            self.average.assign(0.9 * self.average + 0.1 * ops.mean(inputs, axis=0))
        return self.dense(self.dropout(inputs, training=training))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - 2 * x))


def new_model(kind=TinyModel):
    """A tiny model whose initial weights are the same in every process."""
    keras.utils.set_random_seed(0)
    return kind()


def make_batches(step):
    """One float32 `(4, 3)` a step, drawn from the number of the step alone."""
    for k in range(step, STEPS):
        yield (np.random.default_rng((7, k)).normal(size=(4, 3)).astype("float32"),)


def state_of(model):
    """All numbers that training changes, as NumPy arrays."""
    variables = [*model.variables, *model.optimizer.variables]
    return [ops.convert_to_numpy(variable).copy() for variable in variables]


def slow_batches(step):
    for batch in make_batches(step):
        time.sleep(0.05)
        yield batch


if __name__ == "__main__":  # python tiny_stage.py FOLDER RESULT
    model = new_model()
    fit_stage(model, slow_batches, CONFIG, sys.argv[1], "tiny", INTERVAL)
    np.savez(sys.argv[2], *state_of(model))
