"""A checkpoint is whole, or it is not there; what it holds comes back bit for bit."""

import errno
import json

import keras
import numpy as np
import pytest
from tests.training.tiny_stage import CONFIG, TinyModel, make_batches, new_model, state_of

from vqzoo.training import checkpoints
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.stage import make_optimizer


def compiled(model, config=CONFIG):
    model.compile(make_optimizer(config))
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def trained():
    model = compiled(new_model())
    for (batch,) in make_batches(18):
        model.train_on_batch(batch)
    return model


def test_every_number_comes_back(tmp_path, trained):
    Checkpoints(tmp_path).save(trained, 5, {"best_step": 3})
    expected = state_of(trained)
    fresh = compiled(new_model())
    changed = [(a != b).any() for a, b in zip(state_of(fresh), expected, strict=True)]
    assert sum(changed) >= 7, "training changed too little for this test to mean anything"
    assert Checkpoints(tmp_path).restore(fresh) == (5, {"best_step": 3})
    for one, other in zip(state_of(fresh), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_there_is_none_at_first(tmp_path, trained):
    assert Checkpoints(tmp_path / "none").restore(trained) is None
    assert Checkpoints(tmp_path / "none").notes() == {}


def test_keeps_the_newest_two(tmp_path, trained):
    found = Checkpoints(tmp_path)
    for step in (0, 9, 10, 100_000_000):
        found.save(trained, step, {"step": step})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00000010", "step_100000000"]
    assert found.notes() == {"step": 100_000_000}


@pytest.mark.parametrize("name", ["model.weights.h5", "seeds.npz", "checkpoint.json"])
@pytest.mark.parametrize("harm", ["truncated", "missing", "changed"])
def test_a_damaged_one_is_passed_over(tmp_path, trained, name, harm):
    found = Checkpoints(tmp_path)
    found.save(trained, 5)
    found.save(trained, 10)
    path = tmp_path / "step_00000010" / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 255]) + content[-1:])
    with pytest.warns(UserWarning, match="step_00000010 is damaged"):
        assert found.restore(trained) == (5, {})


def test_another_model_or_optimizer_is_refused(tmp_path, trained):
    Checkpoints(tmp_path).save(trained, 5)
    other = compiled(new_model(), {**CONFIG, "optimizer": "sgd"})
    with pytest.warns(UserWarning, match="optimizer"), pytest.raises(ValueError, match="another"):
        Checkpoints(tmp_path).restore(other)

    class Noisier(TinyModel):
        def __init__(self):
            super().__init__()
            self.noise = keras.layers.GaussianNoise(1.0, seed=0)

    with pytest.raises(ValueError, match="another model"):
        Checkpoints(tmp_path).restore(compiled(new_model(Noisier)))


def test_a_later_format_is_refused(tmp_path, trained):
    Checkpoints(tmp_path).save(trained, 5)
    path = tmp_path / "step_00000005" / "checkpoint.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format_version": 2}))
    with pytest.raises(ValueError, match="format is 2, this one reads up to 1"):
        Checkpoints(tmp_path).restore(trained)


def test_a_full_disk_is_a_clear_error_and_harms_nothing(tmp_path, trained, monkeypatch):
    found = Checkpoints(tmp_path)
    found.save(trained, 5)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.np, "savez", full)
        with pytest.raises(OSError, match="step 10 could not be written.* No space left"):
            found.save(trained, 10)
    assert found.restore(trained) == (5, {})
    found.save(trained, 10)
    assert found.restore(trained) == (10, {})
