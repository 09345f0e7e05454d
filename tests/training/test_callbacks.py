"""What a user sees while a stage is trained."""

import numpy as np
import pytest
from tests.training.tiny_stage import new_model

from vqzoo.training import callbacks
from vqzoo.training.callbacks import Progress, first_not_finite


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    return now


def test_progress_says_step_metrics_and_time_left(clock, capsys):
    progress = Progress("autoencoder", steps=1000, step=200)
    progress.on_train_begin()
    for _ in range(100):
        progress.on_train_batch_end(0)
    clock[0] = 100.0  # a second a step: 700 seconds are left
    progress.on_epoch_end(0, {"loss": 0.01234, "usage": 0.5})
    expected = "autoencoder: step 300/1000, loss 0.01234, usage 0.5, 12 min left\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(("usage", "warned"), [(0.099, True), (0.1, False)])
def test_a_codebook_in_little_use_is_a_warning(clock, capsys, usage, warned):
    progress = Progress("autoencoder", 10, 0)
    progress.on_train_begin()
    progress.on_epoch_end(0, {"usage": usage})
    assert ("warning: autoencoder uses 9.9% of its codebook" in capsys.readouterr().err) is warned


@pytest.mark.parametrize(
    ("seconds", "text"), [(89, "89 s"), (91, "2 min"), (5399, "90 min"), (5401, "1.5 h")]
)
def test_durations(seconds, text):
    assert callbacks._duration(seconds) == text


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finds_the_first_bad_variable(bad):
    model = new_model()
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    assert first_not_finite(model) is None
    model.dense.bias.assign([0, bad, 0])
    assert first_not_finite(model) == "dense/bias"
