"""AutoregressivePrior: a normalised distribution that plain fit trains and a file carries."""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest

from vqzoo.networks import GatedPixelCNN
from vqzoo.priors import AutoregressivePrior
from vqzoo.sampling import SamplingOptions


def prior(num_embeddings=5, shape=(3, 4), num_classes=3, seed=0, **arguments):
    """A small prior whose random weights are large enough for probabilities to vary."""
    arguments = {"filters": 6, "num_layers": 2, "head_filters": 8, **arguments}
    model = AutoregressivePrior(GatedPixelCNN(num_embeddings, num_classes, **arguments), shape)
    rng = np.random.default_rng(seed)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return model


def random_codes(count, shape=(3, 4), num_embeddings=5, seed=0):
    return np.random.default_rng(seed).integers(0, num_embeddings, (count, *shape), dtype="int32")


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_probabilities_of_all_maps_sum_to_one(shape):
    size = shape[0] * shape[1]
    maps = np.array(list(itertools.product([0, 1], repeat=size)), "int32").reshape(-1, *shape)
    model = prior(2, shape, num_classes=2)
    for labels in (0, 1, None):
        nats = model.log_prob([maps], labels).astype("float64")
        np.testing.assert_allclose(np.exp(nats).sum(), 1, atol=1e-5)
        assert nats.std() > 0.1  # not the uniform distribution


def test_log_prob_is_the_sum_of_chosen_log_softmax():
    model, codes, labels = prior(), random_codes(7), np.arange(7) % 3
    logits = np.asarray(model.network(codes, {"labels": labels})).astype("float64")
    log_softmax = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = np.take_along_axis(log_softmax, codes[..., None], -1).sum((1, 2, 3))
    for batch_size in (2, 7, 256):
        nats = model.log_prob([codes], labels, batch_size=batch_size)
        np.testing.assert_allclose(nats, expected, rtol=1e-5)
    assert nats.dtype == np.float32


def test_large_maps_are_scored_few_at_a_time(monkeypatch):
    model, sizes = prior(2, (64, 64), num_classes=None), []

    def recorded(batch):
        sizes.append(len(batch["codes_0"]))
        return np.zeros(sizes[-1])

    monkeypatch.setattr(model, "_log_prob", recorded)
    model.log_prob([np.zeros((5, 64, 64), "int32")])
    # 2^24 pairs of positions in eight heads are half a gibibyte
    assert sum(sizes) == 5 and max(sizes) == 2


def test_without_labels_classes_are_averaged():
    model, codes = prior(), random_codes(4)
    each = [np.exp(model.log_prob([codes], label).astype("float64")) for label in range(3)]
    np.testing.assert_allclose(model.log_prob([codes]), np.log(np.mean(each, 0)), rtol=1e-5)


def test_fit_lowers_the_loss_and_logs_bits():
    model = prior()
    codes = np.repeat(np.arange(48) % 5, 12).reshape(48, 3, 4).astype("int32")
    inputs = {"codes_0": codes, "labels": np.arange(48) % 3}
    model.compile(keras.optimizers.Adam(0.03))
    history = model.fit(inputs, batch_size=16, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    bits = np.array(history["loss"]) / np.log(2)
    np.testing.assert_allclose(history["bits_per_code"], bits, rtol=1e-5)
    logged = model.evaluate(inputs, batch_size=20, verbose=0, return_dict=True)
    nats = -model.log_prob([codes], inputs["labels"]).mean() / 12
    np.testing.assert_allclose(logged["loss"], nats, rtol=1e-5)  # uneven batches are weighted
    np.testing.assert_allclose(logged["bits_per_code"], nats / np.log(2), rtol=1e-5)


def test_evaluation_changes_no_weight():
    model, codes = prior(dropout=0.3), random_codes(4)
    before = [weight.copy() for weight in model.get_weights()]
    model.compile("adam")
    model.evaluate({"codes_0": codes, "labels": np.zeros(4, "int32")}, verbose=0)
    model.log_prob([codes], 0)
    model.sample(2)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_an_image_is_the_same_whatever_the_batch():
    model = prior()
    (together,) = model.sample(7, seed=3)
    for arguments in ({"batch_size": 3}, {"batch_size": 1}):
        np.testing.assert_array_equal(model.sample(7, seed=3, **arguments)[0], together)
    (tail,) = model.sample(3, seed=3, first_index=4)
    np.testing.assert_array_equal(tail, together[4:])
    (slow,) = model.sample(7, seed=3, options=SamplingOptions(incremental=False))
    np.testing.assert_array_equal(slow, together)
    assert (model.sample(7, seed=4)[0] != together).any()


def test_labels_are_drawn_by_the_seed_or_taken():
    model = prior()
    model.network.to_logits.bias.assign(np.zeros(5))
    (one,) = model.sample(6, labels=1, seed=2)
    np.testing.assert_array_equal(model.sample(6, labels=np.ones(6, "int64"), seed=2)[0], one)
    (drawn,) = model.sample(6, seed=2)
    maps = [model.sample(6, labels=label, seed=2)[0] for label in range(3)]
    matches = [{c for c in range(3) if (maps[c][i] == drawn[i]).all()} for i in range(6)]
    assert all(matches) and len(set.union(*matches)) > 1


def test_completion_keeps_what_is_known():
    model = prior()
    codes, mask = random_codes(3), np.zeros((3, 3, 4), bool)
    mask[:, 1:, 2:] = True
    (completed,) = model.sample(3, labels=0, known=([codes], [mask]), batch_size=2)
    np.testing.assert_array_equal(completed[~mask], codes[~mask])
    free = np.where(mask, 99, codes)  # what lies under the mask is not looked at
    np.testing.assert_array_equal(
        model.sample(3, labels=0, known=([free], [mask]), batch_size=2)[0], completed
    )


def test_unconditional():
    model = prior(num_classes=None)
    model.compile("sgd")
    model.fit({"codes_0": random_codes(4)}, verbose=0)
    assert model.sample(2)[0].shape == (2, 3, 4)
    with pytest.raises(ValueError, match="`labels`"):
        model.sample(2, labels=1)
    with pytest.raises(ValueError, match="`labels`"):
        model.log_prob([random_codes(2)], labels=0)


FRESH = """
import sys, keras, numpy as np
import vqzoo.priors
model = keras.models.load_model(sys.argv[1])
saved = np.load(sys.argv[2])
np.testing.assert_allclose(model.log_prob([saved["codes"]], saved["labels"]), saved["nats"], 1e-6)
np.testing.assert_array_equal(model.sample(2, seed=5)[0], saved["drawn"])
"""


@pytest.mark.slow
def test_saved_and_loaded_in_a_fresh_process(tmp_path):
    model, codes, labels = prior(), random_codes(4), np.array([0, 1, 2, 0])
    model.save(tmp_path / "prior.keras")
    nats, (drawn,) = model.log_prob([codes], labels), model.sample(2, seed=5)
    np.savez(tmp_path / "saved.npz", codes=codes, labels=labels, nats=nats, drawn=drawn)
    command = [sys.executable, "-c", FRESH, tmp_path / "prior.keras", tmp_path / "saved.npz"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_weights_file_and_configuration():
    model = prior()
    again = AutoregressivePrior.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    again.set_weights(model.get_weights())
    codes = random_codes(3)
    np.testing.assert_array_equal(again.log_prob([codes], 1), model.log_prob([codes], 1))


@pytest.mark.parametrize(
    "latents, named",
    [
        ([], "latents"),
        (random_codes(2), "latents"),
        ([random_codes(2, (4, 3))], "latents"),
        ([random_codes(2).astype("float32")], "latents"),
        ([random_codes(2) + 5], "latents"),
        ([random_codes(2) - 5], "latents"),
    ],
)
def test_wrong_codes(latents, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        prior().log_prob(latents, 0)


@pytest.mark.parametrize("labels", [3, -1, [0, 1, 2], 0.5, "sneaker"])
def test_wrong_labels(labels):
    with pytest.raises(ValueError, match="`labels`"):
        prior().sample(2, labels=labels)


@pytest.mark.parametrize("latent_shape", [(3,), (3, 0), (3, 3, 3)])
def test_wrong_latent_shape(latent_shape):
    with pytest.raises(ValueError, match="`latent_shape`"):
        AutoregressivePrior(prior().network, latent_shape)


def test_wrong_known():
    codes, mask = random_codes(2), np.ones((2, 3, 4), bool)
    for known in (([codes], [mask[:1]]), ([codes], [mask * 1]), ([], [mask])):
        with pytest.raises(ValueError, match="`known`"):
            prior().sample(2, known=known)
    with pytest.raises(ValueError, match="`known`"):
        prior().sample(2, known=([codes + 9], [~mask]))
