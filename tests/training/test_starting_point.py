"""Fine-tuning starts at what is shared: all of the autoencoder, of the prior what fits."""

import numpy as np
import pytest
from keras import ops

import vqzoo
from tests.models.tiny_lab import lab
from vqzoo import config as configs
from vqzoo.training.starting_point import StartingPoint, starting_point

NETWORK = {"family": "GatedPixelCNN", "filters": 8, "num_layers": 2, "head_filters": 16}


@pytest.fixture
def start(tiny_folder):
    return StartingPoint(tiny_folder)


def arrays(model):
    return {weight.path: ops.convert_to_numpy(weight).copy() for weight in model.weights}


def test_a_scale_that_the_configuration_gives_stays(tmp_path):
    lab("categorical", scale=60.0).save(tmp_path / "start")
    start = StartingPoint(tmp_path / "start")
    for scale, kept in ((25.0, 25.0), (None, 60.0)):
        fresh = lab("categorical", scale=scale).autoencoder
        start.check(fresh)
        start.restore_autoencoder(fresh)
        assert float(fresh.likelihood_scale) == kept


def test_the_whole_autoencoder_is_restored(start, tiny_model, tiny_yaml):
    fresh = vqzoo.create(tiny_yaml, data={"image_shape": [16, 8, 1]}).autoencoder
    start.check(fresh)  # another size is no other network
    start.restore_autoencoder(fresh)
    old = tiny_model.autoencoder
    assert fresh.tokenizer_hash() != old.tokenizer_hash(), "it covers the size of the images"
    for mine, theirs in zip(fresh.weights, old.weights, strict=True):
        mine, theirs = ops.convert_to_numpy(mine), ops.convert_to_numpy(theirs)
        np.testing.assert_array_equal(mine, theirs)
    assert float(ops.sum(ops.abs(fresh.quantizer.counts - 1))) > 0, "nothing was trained"
    assert int(fresh.quantizer.updates) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"autoencoder": {"num_embeddings": 32}}, r"`autoencoder.num_embeddings` must be 16.* 32"),
        # A seed decides no shape, but it comes before what does in no other order than this.
        ({"autoencoder": {"filters": 12, "seed": 5}}, r"`autoencoder.filters` must be 8.* 12"),
        ({"data": {"image_shape": [8, 12, 3]}}, r"`data.image_shape\[2\]` must be 1.*Received: 3"),
    ],
)
def test_another_network_is_refused_naming_the_key(start, tiny_yaml, changes, message):
    with pytest.raises(ValueError, match=message):
        start.check(vqzoo.create(tiny_yaml, **changes).autoencoder)


def test_what_is_no_shape_may_differ(start, tiny_yaml):
    changes = {"commitment_cost": 1.0, "restart_threshold": 0.3, "seed": 4}
    start.check(vqzoo.create(tiny_yaml, autoencoder=changes).autoencoder)


@pytest.mark.parametrize(
    ("class_names", "why"),
    [
        (["boot", "bag", "hat"], "(3, 16): is fresh, since the classes are others"),
        (["boot", "bag"], "(2, 16): is fresh, since the classes are others"),
        ([], "(3, 16): has no place here"),
    ],
)
def test_weights_of_other_classes_are_fresh_and_all_others_restored(
    start, tiny_model, tiny_yaml, class_names, why
):
    model = vqzoo.create(tiny_yaml, data={"class_names": class_names})
    before, theirs = arrays(model.prior), arrays(tiny_model.prior)
    left = start.restore_prior(model.prior, model.config)
    assert [line.split()[0] for line in left] == ["gated_0/class_vectors", "gated_1/class_vectors"]
    assert left[0] == f"gated_0/class_vectors {why}"
    for path, array in arrays(model.prior).items():
        expected = before if "class_vectors" in path else theirs
        np.testing.assert_array_equal(array, expected[path], err_msg=path)


def test_with_the_same_classes_nothing_is_left(start, tiny_model, tiny_yaml):
    model = vqzoo.create(tiny_yaml, data={"image_shape": [16, 8, 1]})
    assert start.restore_prior(model.prior, model.config) == []
    assert start.describe(model.prior, model.config).endswith("not restored: nothing")
    theirs = arrays(tiny_model.prior)
    for path, array in arrays(model.prior).items():
        np.testing.assert_array_equal(array, theirs[path], err_msg=path)


def test_another_network_of_the_prior_keeps_what_fits(start, tiny_yaml):
    model = vqzoo.create(tiny_yaml, prior={"network": {**NETWORK, "head_filters": 12}})
    assert start.restore_prior(model.prior, model.config) == [
        "head/kernel (8, 12): is fresh, since it is (8, 16) in the start",
        "head/bias (12,): is fresh, since it is (16,) in the start",
        "logits/kernel (12, 16): is fresh, since it is (16, 16) in the start",
    ]
    deeper = vqzoo.create(tiny_yaml, prior={"network": {**NETWORK, "num_layers": 3}})
    left = start.restore_prior(deeper.prior, deeper.config)
    assert len(left) == 8 and all(line.startswith("gated_2/") for line in left)
    assert left[0].endswith("is fresh, since there is none in the start")


def test_a_start_without_a_prior_leaves_all_of_it_fresh(tiny_yaml, tmp_path):
    model = vqzoo.create(tiny_yaml)
    model._has_prior = False
    model.save(tmp_path / "half")
    left = StartingPoint(tmp_path / "half").restore_prior(model.prior, model.config)
    assert len(left) == len(model.prior.weights)


def test_the_record_identifies_the_weights(tiny_folder, tiny_yaml, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny_folder.parent)
    record = StartingPoint("saved").record
    assert record == StartingPoint(tiny_folder).record
    assert record["name"] == str(tiny_folder)
    vqzoo.create(tiny_yaml).save(tmp_path / "saved")
    assert StartingPoint(tmp_path / "saved").record["manifest"] != record["manifest"]


def test_a_configuration_may_say_where_it_starts(tiny_folder):
    record = StartingPoint(tiny_folder).record
    assert starting_point({}) is None
    assert starting_point({"start_from": record}).record == record
    assert starting_point({"start_from": {"name": str(tiny_folder)}}).record == record
    changed = {**record, "manifest": "0" * 64}
    with pytest.raises(ValueError, match="`start_from.manifest` must be .* as it is now"):
        starting_point({"start_from": changed})
    assert starting_point({"start_from": changed}, tiny_folder).record == record


def test_what_has_no_weights_is_no_start(tmp_path, monkeypatch):
    for name in ("nowhere", tmp_path):
        with pytest.raises(FileNotFoundError, match="`start_from` must have trained weights"):
            StartingPoint(name)
    monkeypatch.setattr(configs, "names", lambda: ["untrained"])
    with pytest.raises(FileNotFoundError, match="Received: 'untrained'"):
        StartingPoint("untrained")
