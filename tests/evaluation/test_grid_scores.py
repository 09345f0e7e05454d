"""Scores of a cell against enumeration, closed forms and slow NumPy."""

import math

import numpy as np
import pytest
from tests.evaluation.fakes import BlockMeans, FakeModel, TablePrior
from tests.models.tiny_lab import IMAGES, all_codes, lab

from vqzoo.data import ArraySource
from vqzoo.evaluation import grid_scores as scores
from vqzoo.evaluation.encoding import autoencode_source
from vqzoo.evaluation.feature_networks import FeatureNetwork
from vqzoo.evaluation.grid_scores import (
    Effort,
    bound_parts,
    bound_scores,
    cell_scores,
    code_sets,
    distances,
    largest_weight,
    usage_scores,
)

SOURCE = ArraySource(IMAGES)
BITS = 1 / (64 * math.log(2))
"""Nats of an image of 8 x 8 grey values to bits per dimension."""


def exact_kl(model, image):
    """KL(q(z | x) || p(z)) in nats, summed over every map of codes."""
    autoencoder, codes = model.autoencoder, all_codes()
    features = autoencoder.encoder.predict_on_batch(image[None])
    log_probs = np.asarray(autoencoder.bottleneck.log_probs(features), "float64")[0]
    rows, columns = np.indices((2, 2))
    log_q = log_probs[rows, columns, codes].sum(axis=(1, 2))
    log_p = np.asarray(model.prior.log_prob([codes]), "float64")
    assert abs(np.exp(log_q).sum() - 1) < 1e-5
    return np.sum(np.exp(log_q) * (log_q - log_p)), log_q - log_p, np.exp(log_q)


@pytest.mark.parametrize("posterior", ["distance", "categorical"])
def test_mean_divergence_is_that_of_all_codes(posterior):
    model = lab(posterior)
    count = 2000
    many = ArraySource(np.broadcast_to(IMAGES[0], (count, *IMAGES[0].shape)))
    found = bound_parts(model, autoencode_source(model.autoencoder, many))
    exact, values, weights = exact_kl(model, IMAGES[0])
    error = math.sqrt(np.sum(weights * (values - exact) ** 2) / count)
    assert abs(4 * found["kl_per_code"] - exact) < 3 * error  # of the mean of so many draws
    assert error < 0.05 * exact, "too wide to show anything"
    assert found["kl_bits_per_dim"] == pytest.approx(4 * found["kl_per_code"] * BITS, rel=1e-5)
    assert found["scale"] == 60.0


@pytest.mark.parametrize("prior", ["uniform", "autoregressive"])
@pytest.mark.parametrize("posterior", ["quantized", "categorical"])
def test_the_parts_add_up_to_the_bound_of_one_draw(posterior, prior):
    model = lab(posterior, prior)
    parts = bound_parts(model, autoencode_source(model.autoencoder, SOURCE))
    bound = bound_scores(model, SOURCE, (1,))["1"]["mean"]
    found = parts["decoder_bits_per_dim"] + parts["kl_bits_per_dim"]
    assert found == pytest.approx(bound, abs=1e-5)
    if (posterior, prior) == ("quantized", "uniform"):
        assert parts["kl_per_code"] == pytest.approx(math.log(6))  # the codebook has six codes


def test_bounds_are_means_over_images_with_their_errors():
    model = lab("categorical")
    draws = [model.elbo(IMAGES, seed=draw * 2**32).astype("float64") for draw in range(3)]
    most = np.max(draws, axis=0)
    bits = -BITS * (most + np.log(np.mean(np.exp(draws - most), axis=0)))
    found = bound_scores(model, SOURCE, (1, 3))
    assert found["3"]["mean"] == pytest.approx(bits.sum() / 10, rel=1e-7)
    deviation = math.sqrt(np.sum((bits - bits.mean()) ** 2) / 9)
    assert found["3"]["standard_error"] == pytest.approx(deviation / math.sqrt(10), rel=1e-6)
    assert found["1"]["mean"] == pytest.approx(-BITS * draws[0].mean(), rel=1e-7)


def test_usage_is_counted_over_hard_draws():
    model = lab("categorical")
    _, draws, _ = model.autoencoder.posterior(IMAGES, scores.SEED, np.arange(10))
    slow = [sum(int(code) == k for code in draws[0].flat) for k in range(6)]
    found = usage_scores(model.autoencoder, SOURCE)
    assert found["usage_counts"] == slow and sum(slow) == 40
    shares = np.array([count for count in slow if count]) / 40
    assert found["perplexity"] == pytest.approx(np.prod(shares**-shares))


def test_a_code_is_rare_below_one_in_ten_thousand():
    """A code for each block: 0 nearly everywhere, 1 exactly at the limit, 2 once, others never."""
    blocks = np.zeros(20_000, "uint8")
    blocks[:2], blocks[2] = 16, 32
    images = np.repeat(np.repeat(blocks.reshape(-1, 2, 2), 2, axis=1), 2, axis=2)[..., None]
    found = usage_scores(BlockMeans(4, 4), ArraySource(images))
    assert found["usage_counts"] == [19_997, 2, 1] + [0] * 13
    assert found["rare_codes"] == 14 / 16


class Logits:
    """Stands for encoder and bottleneck: log-probabilities that do not depend on the image."""

    def __init__(self, of_image):
        self.of_image, self.encoder, self.bottleneck = of_image, self, self

    def predict_on_batch(self, images):
        return images

    def log_probs(self, images):
        return np.broadcast_to(self.of_image, (len(images), *self.of_image.shape))


def test_largest_weight_of_equally_likely_codes_and_of_a_certain_one():
    images = ArraySource(np.zeros((100, 8, 8, 1), "uint8"))
    uniform = np.full((4, 4, 256), -math.log(256), "float32")
    # Means of 1,600 draws with a standard deviation of 0.13: a standard error of 0.003.
    assert largest_weight(Logits(uniform), images) == pytest.approx(0.930, abs=0.01)
    certain = uniform + np.where(np.arange(256) == 7, 1000.0, 0.0).astype("float32")
    assert largest_weight(Logits(certain), images) == 1.0
    # The hotter, the more even: at last 1 / K.
    assert largest_weight(Logits(uniform), images, 1e4) == pytest.approx(1 / 256, rel=1e-2)


def test_largest_weights_are_of_the_draws_that_are_scored():
    """At a low temperature the largest weight is that of the code which a hard draw gives."""
    autoencoder = lab("categorical").autoencoder
    assert 0 < largest_weight(autoencoder, SOURCE, 1.0) < largest_weight(autoencoder, SOURCE) < 1
    assert largest_weight(autoencoder, SOURCE, 1e-4) == pytest.approx(1, abs=0.01)
    batches = [largest_weight(autoencoder, SOURCE, batch_size=size) for size in (3, 64)]
    assert batches[0] == pytest.approx(batches[1], abs=1e-5)


def test_code_sets_are_what_their_names_say():
    model = lab("categorical", "uniform")
    codes = np.arange(10, dtype="int32")[:, None, None] % 6 + np.zeros((1, 2, 2), "int32")
    own = np.broadcast_to(np.arange(10)[:, None, None], (10, 2, 2)).astype("int32")
    found = code_sets(model, codes, 400)
    assert list(found) == ["uniform_codes", "codes_between_images", "samples", "reconstructions"]
    assert found["reconstructions"] is codes
    np.testing.assert_array_equal(found["samples"], model.prior.sample(400)[0])
    counts = np.bincount(found["uniform_codes"].ravel(), minlength=6)
    # 1,600 draws of six codes: 267 each, with a standard deviation of 15.
    assert len(counts) == 6 and abs(counts - 1600 / 6).max() < 60
    between = code_sets(model, own, 400)["codes_between_images"].reshape(400, 4)
    is_first = between == np.arange(400)[:, None] % 10
    assert abs(is_first.mean() - 0.5) < 4 * 0.5 / 40
    others = [set(row) - {i % 10} for i, row in enumerate(between)]
    assert max(map(len, others)) == 1, "of one other image"
    assert set.union(*others) == set(range(10))


def test_one_image_alone_has_no_other():
    codes = np.ones((1, 2, 2), "int32")
    assert (code_sets(lab("categorical", "uniform"), codes, 3)["codes_between_images"] == 1).all()


def test_distances_are_between_what_codes_decode_to_and_test_images():
    """Blocks that decode to themselves are at distance 0; brighter ones at the squared shift."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 8, (300, 2, 3)).astype("int32")
    model = FakeModel(BlockMeans(), TablePrior(np.full((1, 6, 16), 1 / 16), (2, 3)))
    test = ArraySource(model.decode([codes]))
    means = FeatureNetwork("means", (4, 6, 1), lambda pixels: (pixels.mean(axis=(1, 2)), None))
    found = distances(means, model, {"same": codes, "brighter": codes + 2}, test)
    assert found["same"] == pytest.approx(0, abs=1e-6)
    assert found["brighter"] == pytest.approx(32**2, rel=1e-6)


@pytest.mark.parametrize("posterior", ["quantized", "distance"])
def test_a_cell_has_every_score(posterior, monkeypatch):
    assert (scores.DRAWS, scores.MANY_DRAWS) == ((1, 10), (1, 10, 100))
    monkeypatch.setattr(scores, "FEWEST", 8)
    monkeypatch.setattr(scores, "DRAWS", (1, 2))
    monkeypatch.setattr(scores, "MANY_DRAWS", (1, 2, 3))
    model, effort = lab(posterior, "uniform"), Effort(images=8, few=4, samples=16)
    means = FeatureNetwork("means", (8, 8, 1), lambda pixels: (pixels.mean(axis=(1, 2)), None))
    found, codes = cell_scores(model, SOURCE, effort, means)
    assert found["images"] == {"test": 10, "bounds": 8, "bounds_of_few": 4}
    assert set(found["bits_per_dim"]) == {"1", "2"}
    assert set(found["bits_per_dim_of_few"]) == {"1", "2", "3"}
    assert ("largest_weight" in found) == (posterior == "distance")
    assert set(found["fid"]) == {"network", *codes} and found["fid"]["network"] == "means"
    assert found["parameters"]["prior"] == model.prior.count_params()
    assert len(codes["samples"]) == 16 and len(codes["reconstructions"]) == 8
    found, codes = cell_scores(model, SOURCE, Effort(4, 4, 4), means)
    assert "fid" not in found and len(codes["samples"]) == 100, "for a picture"
