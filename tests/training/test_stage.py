"""A stage ends with the same weights however often it is killed, and stops at the first bad number."""

import math
import random
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from tests.training import tiny_stage
from keras import ops
from tests.training.tiny_stage import (
    CONFIG,
    INTERVAL,
    STEPS,
    TinyModel,
    make_batches,
    new_model,
    state_of,
)

from vqzoo import files
from vqzoo.training import checkpoints
from vqzoo.training.stage import fit_stage, make_optimizer


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


def fit(folder, batches=make_batches, kind=TinyModel, **kwargs):
    model = new_model(kind)
    notes = fit_stage(model, batches, CONFIG, folder, "tiny", INTERVAL, **kwargs)
    return model, notes


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    model, _ = fit(tmp_path_factory.mktemp("whole"))
    return state_of(model)


def assert_same(model, expected):
    for one, other in zip(state_of(model), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_runs_are_bit_identical(tmp_path, uninterrupted):
    model, _ = fit(tmp_path)
    assert_same(model, uninterrupted)
    assert int(model.optimizer.iterations) == STEPS
    assert len({array.tobytes() for array in uninterrupted}) > 6, "nothing was trained"


@pytest.mark.parametrize("kill_at", [[0], [1], [4, 5], [7, 12, 22]])
def test_a_kill_between_steps_changes_nothing(tmp_path, uninterrupted, kill_at):
    class Kill(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == step:
                raise Killed

    for step in kill_at:
        with pytest.raises(Killed):
            fit(tmp_path, callbacks=[Kill()])
    model, _ = fit(tmp_path)
    assert_same(model, uninterrupted)


KILLED_IN = {
    "before the files are written": (np, "savez"),
    "before the manifest": (files, "write_json"),
    "before the rename": (files, "publish_folder"),
    "before an old one is removed": (files, "discard_folder"),
    "while an old one is removed": (files.shutil, "rmtree"),
}


@pytest.mark.parametrize("moment", KILLED_IN)
@pytest.mark.parametrize("count", [0, 2])
def test_a_kill_while_saving_changes_nothing(tmp_path, uninterrupted, monkeypatch, moment, count):
    module, name = KILLED_IN[moment]
    calls, real = [], getattr(module, name)

    def killing(*args, **kwargs):
        calls.append(args)
        if len(calls) > count:
            raise Killed
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killing)
        with pytest.raises(Killed):
            fit(tmp_path)
    model, _ = fit(tmp_path)
    assert_same(model, uninterrupted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00000020", "step_00000023"]


@pytest.mark.slow
def test_sigkill_at_random_moments_changes_nothing(tmp_path, uninterrupted):
    moments, kills = random.Random(0), 0
    command = [sys.executable, tiny_stage.__file__, str(tmp_path / "run"), str(tmp_path / "end")]
    while kills < 5:
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not list((tmp_path / "run").glob("step_*")) and process.poll() is None:
            time.sleep(0.01)
        if kills:  # the start of TensorFlow is not what this test is about
            time.sleep(2)
        time.sleep(moments.uniform(0, 1.5))
        process.kill()
        process.wait()
        kills += 1
    subprocess.run(command, check=True, capture_output=True)
    with np.load(tmp_path / "end.npz") as arrays:
        for one, other in zip(arrays.values(), uninterrupted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_finished_stage_is_not_trained_again(tmp_path, uninterrupted):
    fit(tmp_path)
    model, _ = fit(tmp_path, lambda step: pytest.fail("it was trained again"))
    assert_same(model, uninterrupted)


def test_ends_with_the_best_weights_on_held_out_examples(tmp_path):
    held_out = np.random.default_rng(1).normal(size=(10, 3)).astype("float32")
    losses = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            losses.append(logs["val_loss"])

    def spoil_the_end(start):
        for k, (batch,) in enumerate(make_batches(start), start):
            yield (batch if k < 12 else -10 * np.sign(batch),)

    class Diverges(TinyModel):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            target = ops.where(ops.max(ops.abs(x)) > 9, -x, 2 * x)  # the spoilt batches mislead
            return ops.mean(ops.square(y_pred - target))

    kwargs = {"kind": Diverges, "validation": held_out, "callbacks": [Record()]}
    model, notes = fit(tmp_path, spoil_the_end, **kwargs)
    assert np.argmin(losses) not in (0, len(losses) - 1), f"{losses}: the test shows nothing"
    assert notes["best_step"] == INTERVAL * (np.argmin(losses) + 1)
    again = model.evaluate(held_out, batch_size=4, verbose=0)
    np.testing.assert_allclose([again, notes["best_val_loss"]], min(losses), rtol=1e-6)
    # a start after the end gives the same weights
    reopened, _ = fit(tmp_path, spoil_the_end, **kwargs)
    np.testing.assert_array_equal(reopened.dense.kernel, model.dense.kernel)


def test_names_the_step_at_which_the_loss_stops_being_finite(tmp_path):
    def batches(start):
        for k, (batch,) in enumerate(make_batches(start), start):
            yield (batch * np.inf if k == 13 else batch,)

    with pytest.raises(FloatingPointError, match=r"step 14: `loss` is (nan|inf).* of step 10"):
        fit(tmp_path, batches)
    model, _ = fit(tmp_path, make_batches)  # the state was good up to step 10
    assert all(np.isfinite(array).all() for array in state_of(model))


def test_the_repetition_is_told_by_what_changes_the_training_and_not_by_what_watches(tmp_path):
    class Note(keras.callbacks.Callback):
        def __init__(self, changes_training):
            super().__init__()
            self.changes_training, self.batches = changes_training, 0

        def on_train_batch_begin(self, batch, logs=None):
            self.batches += 1

    def batches(start):
        for k, (batch,) in enumerate(make_batches(start), start):
            yield (batch * np.inf if k == 13 else batch,)

    changes, watches = Note(True), Note(False)
    with pytest.raises(FloatingPointError, match="of step 10"):
        fit(tmp_path, batches, callbacks=[changes, watches])
    assert (changes.batches, watches.batches) == (14 + 4, 14)


def test_names_the_weight_that_a_gradient_spoilt_though_the_loss_was_finite(tmp_path):
    class RootAtZero(TinyModel):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            distance = ops.sum(ops.square(y_pred - self.dense.bias) * ops.abs(x))
            return ops.sqrt(distance)  # its gradient at 0 is 0 * inf, its value there is 0

    def batches(start):
        for k, (batch,) in enumerate(make_batches(start), start):
            yield (batch * (k != 13),)

    with pytest.raises(FloatingPointError, match=r"step 14: the update of `.*kernel` is not"):
        fit(tmp_path, batches, RootAtZero)
    found = checkpoints.Checkpoints(tmp_path)
    model = new_model(RootAtZero)
    model.compile(make_optimizer(CONFIG))
    model.optimizer.build(model.trainable_variables)
    assert found.restore(model)[0] == 10


@pytest.mark.parametrize("warmup", [0, 4])
def test_cosine_schedule_equals_its_definition(warmup):
    config = {"learning_rate": 0.1, "schedule": "cosine", "steps": 24, "warmup_steps": warmup}
    rate = make_optimizer({"batch_size": 1, **config})._learning_rate
    for step in range(24):
        done = (step - warmup) / (24 - warmup)
        decayed = 0.1 * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        expected = 0.1 * step / warmup if step < warmup else decayed
        np.testing.assert_allclose(rate(step), expected, rtol=1e-5)


def test_constant_rate_after_warmup():
    rate = make_optimizer({"learning_rate": 0.1, "steps": 9, "warmup_steps": 2})._learning_rate
    np.testing.assert_allclose([rate(k) for k in range(5)], [0, 0.05, 0.1, 0.1, 0.1], rtol=1e-6)
    assert float(make_optimizer({"learning_rate": 0.1, "steps": 9}).learning_rate) == np.float32(0.1)


def test_exponential_schedule_equals_its_definition():
    config = {"learning_rate": 0.1, "schedule": "exponential", "decay_rate": 0.9, "steps": 9}
    rate = make_optimizer(config)._learning_rate
    expected = [0.1 * 0.9**step for step in range(9)]
    np.testing.assert_allclose([rate(step) for step in range(9)], expected, rtol=1e-6)


AVERAGED = CONFIG | {"optimizer_arguments": {"use_ema": True, "ema_momentum": 0.9, "beta_1": 0.8}}


@pytest.mark.parametrize("kill_at", [[], [7, 22], ["end"]])
def test_a_stage_ends_with_the_average_of_its_weights(tmp_path, kill_at):
    kernels = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) in kill_at:
                kill_at.remove(int(self.model.optimizer.iterations))
                raise Killed
            del kernels[int(self.model.optimizer.iterations) :]  # steps that are done again

        def on_train_batch_end(self, batch, logs=None):
            kernels.append(ops.convert_to_numpy(self.model.dense.kernel).astype("float64"))

    def fit_averaged():
        model = new_model()
        fit_stage(model, make_batches, AVERAGED, tmp_path, "tiny", INTERVAL, None, [Watch()])
        return model

    for _ in filter(lambda step: step != "end", list(kill_at)):
        with pytest.raises(Killed):
            fit_averaged()
    model = fit_averaged()
    if "end" in kill_at:  # the last checkpoint was written, and nothing else
        model = fit_averaged()
    expected = kernels[0]
    for kernel in kernels[1:]:
        expected = 0.9 * expected + 0.1 * kernel
    assert len(kernels) == STEPS and np.abs(expected - kernels[-1]).max() > 1e-3
    np.testing.assert_allclose(model.dense.kernel, expected, rtol=1e-5)


def test_averages_and_the_best_step_do_not_go_together(tmp_path):
    with pytest.raises(ValueError, match="`optimizer_arguments` must be without `use_ema`"):
        held_out = np.zeros((4, 3), "float32")
        fit_stage(new_model(), make_batches, AVERAGED, tmp_path, "tiny", INTERVAL, held_out)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "exponential"},
        {"decay_rate": 0.9},
        {"schedule": "exponential", "decay_rate": 0.9, "warmup_steps": 2},
    ],
)
def test_a_decay_rate_is_for_the_exponential_schedule_alone(wrong):
    with pytest.raises(ValueError, match="`decay_rate` must be given with"):
        make_optimizer({"learning_rate": 0.1, "steps": 9, **wrong})


@pytest.mark.parametrize("wrong", [{"beta_0": 0.9}, {"use_ema": True, "ema_momentum": 2.0}])
def test_arguments_that_keras_does_not_take_are_errors(wrong):
    with pytest.raises(ValueError, match="`optimizer_arguments` must be what adam takes in Keras"):
        make_optimizer({"learning_rate": 0.1, "steps": 9, "optimizer_arguments": wrong})


@pytest.mark.parametrize("wrong", [{"optimizer": "adamm"}, {"schedule": "cosinus"}])
def test_unknown_names_are_errors(wrong):
    (key, value), = wrong.items()
    with pytest.raises(ValueError, match=f"`{key}` must be .* Received: '{value}'"):
        make_optimizer({"learning_rate": 0.1, "steps": 2, **wrong})


