import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from tests.models.tiny_lab import IMAGES, K, lab
from vqzoo.models.discrete_vae import POSTERIORS
from vqzoo.models.joint_training import JointTraining
from vqzoo.priors import StandardNormalPrior, UniformPrior

PAIRS = list(itertools.product(POSTERIORS, ["uniform", "autoregressive"]))
VARIANTS = pytest.mark.parametrize(("posterior", "prior"), PAIRS)


def joint(posterior, prior, **changes):
    model = lab(posterior, prior, **changes)
    training = JointTraining(model.autoencoder, model.prior)
    training.compile("sgd")
    return training


def gradient_sizes(training, term):
    """Largest gradient of a term of the loss in each part: dict of part to float."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients of variables are taken by a tape")
    import tensorflow as tf

    model = training.autoencoder
    parts = {
        "encoder": model.encoder.trainable_variables,
        "codebook": [model.bottleneck.codebook],
        "decoder": model.decoder.trainable_variables,
        "prior": training.prior.trainable_variables,
    }
    with tf.GradientTape(persistent=True) as tape:
        value = term(training, training(IMAGES, training=True))
    sizes = {}
    for name, variables in parts.items():
        found = tape.gradient(value, [variable.value for variable in variables])
        sizes[name] = max((float(ops.max(ops.abs(g))) for g in found if g is not None), default=0.0)
    return sizes


def reconstruction(training, outputs):
    return -ops.mean(training.autoencoder.log_likelihood(IMAGES, outputs["decoder_output"]))


def divergence(training, outputs):
    return ops.mean(outputs["kl"])


def reached(sizes):
    return {name for name, size in sizes.items() if size > 1e-7}


@VARIANTS
def test_where_the_gradient_of_the_reconstruction_goes(posterior, prior):
    sizes = gradient_sizes(joint(posterior, prior), reconstruction)
    # Straight-through passes the codebook by; relaxed weights are multiplied with it.
    relaxed = posterior != "quantized"
    assert reached(sizes) == {"encoder", "decoder"} | ({"codebook"} if relaxed else set())


@VARIANTS
def test_where_the_gradient_of_the_divergence_goes(posterior, prior):
    expected = {
        "quantized": set(),  # all on one code: nothing of it is differentiable
        "distance": {"encoder", "codebook"},
        "categorical": {"encoder"},
    }[posterior] | ({"prior"} if prior == "autoregressive" else set())
    assert reached(gradient_sizes(joint(posterior, prior), divergence)) == expected


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_where_gradients_go_without_a_prior(posterior):
    model = lab(posterior, training="marginal")
    both = JointTraining(model.autoencoder, model.prior)  # only to reach the parts

    def loss(_, __):
        output = model.autoencoder(IMAGES, training=True)
        return model.autoencoder.compute_loss(IMAGES, None, output)

    # The quantizer's own losses move encoder and codebook, here without a prior.
    assert reached(gradient_sizes(both, loss)) == {"encoder", "codebook", "decoder"}


@pytest.mark.parametrize("posterior", ["distance", "categorical"])
def test_the_prior_moves_the_encoder_through_the_relaxed_sample(posterior):
    training = joint(posterior, "autoregressive")

    def through_sample(training, outputs):
        bottleneck = training.autoencoder.bottleneck
        found = bottleneck(training.autoencoder.encoder(IMAGES), training=True)
        of_prior = training.prior.position_log_probs(found["weights"])
        return -ops.mean(ops.exp(ops.stop_gradient(found["log_probs"])) * of_prior)

    assert "encoder" in reached(gradient_sizes(training, through_sample))


@VARIANTS
def test_loss_is_the_negative_bound_by_its_definition(posterior, prior):
    training = joint(posterior, prior)
    logs = training.test_on_batch(IMAGES, return_dict=True)
    model = training.autoencoder
    outputs = model.bottleneck(model.encoder(IMAGES))
    codes = np.asarray(outputs["codes"])  # outside of training these are the sample
    mean = 127.5 * (1 + np.asarray(model.decoder_output([codes]), "float64"))
    squares = ((IMAGES - mean) ** 2 + 1 / 12).sum(axis=(1, 2, 3))
    likelihood = -0.5 * squares / 60.0**2 - 64 * (math.log(60.0) + 0.5 * math.log(2 * math.pi))
    kl = np.zeros(10)
    for n, row, column in np.ndindex(10, 2, 2):
        q = np.eye(K)[codes[n, row, column]]
        entropy_term = 0.0
        if posterior != "quantized":
            q = np.exp(np.asarray(outputs["log_probs"], "float64")[n, row, column])
            entropy_term = (q * np.log(q)).sum()
        p = np.zeros(K)
        for k in range(K):
            p[k] = _log_prior(training.prior, codes[n], (row, column), k)
        kl[n] += entropy_term - (q * p).sum()
    expected = -(likelihood - kl).mean() / 64
    added = 1.25 * logs["commitment"] if posterior == "quantized" else 0.0
    assert logs["loss"] == pytest.approx(expected + added, rel=1e-4)
    assert logs["kl"] == pytest.approx(kl.mean(), rel=1e-4, abs=1e-4)
    assert logs["bits_per_dim"] == pytest.approx(expected / math.log(2), rel=1e-4)


def _log_prior(prior, codes, place, k):
    """log p(k at a place | codes before), of the codes themselves and not of weights."""
    if isinstance(prior, UniformPrior):
        return -math.log(K)
    logits = np.asarray(prior.network(codes[None].astype("int32")), "float64")[0][place]
    return logits[k] - np.log(np.exp(logits).sum())


@pytest.mark.parametrize("posterior", ["distance", "categorical"])
def test_gradient_in_the_encoder_equals_differences(posterior):
    training = joint(posterior, "autoregressive")
    model = training.autoencoder
    bias, start = model.encoder.weights[-1], keras.random.SeedGenerator(0).state
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients of variables are taken by a tape")
    import tensorflow as tf

    def loss():
        model.bottleneck.seed_generator.state.assign(start)  # the same noise every time
        return training.compute_loss(IMAGES, None, training(IMAGES, training=True))

    with tf.GradientTape() as tape:
        value = loss()
    gradient = np.asarray(tape.gradient(value, bias.value))
    where = int(np.abs(gradient).argmax())
    original = np.asarray(bias)
    ends = []
    for sign in (1, -1):
        moved = original.copy()
        moved[where] += sign * 2e-2
        bias.assign(moved)
        ends.append(float(loss()))
    # A float32 loss of about 6 is known to 1e-6, its difference over 0.04 to 3e-5.
    assert gradient[where] == pytest.approx((ends[0] - ends[1]) / 4e-2, rel=0.05, abs=5e-5)


@VARIANTS
def test_fit_raises_the_bound(posterior, prior):
    training = joint(posterior, prior)
    training.compile(keras.optimizers.Adam(1e-2))
    callbacks = training.autoencoder.training_callbacks()
    fitted = training.fit(IMAGES, epochs=20, batch_size=5, callbacks=callbacks, verbose=0)
    bits = fitted.history["bits_per_dim"]
    assert bits[-1] < bits[0] - 0.02
    assert {"perplexity", "usage", "mse", "kl"} <= set(fitted.history)


def test_a_learnt_scale_follows_the_error():
    training = joint("categorical", "uniform", scale=None)
    training.compile(keras.optimizers.SGD(0.0))
    again = np.tile(IMAGES, (400, 1, 1, 1))  # quicker than four hundred epochs of one step
    training.fit(again, batch_size=len(IMAGES), shuffle=False, verbose=0)
    model = training.autoencoder
    errors = []
    for _ in range(50):
        offsets = 127.5 * (1 + np.asarray(model(IMAGES, training=True))) - IMAGES
        errors.append(np.mean(offsets.astype("float64") ** 2) + 1 / 12)
    # The average of a hundred draws of 640 pixels each, and 0.99 ** 400 of where it began.
    assert float(model.likelihood_scale) == pytest.approx(math.sqrt(np.mean(errors)), rel=0.02)


def test_what_cannot_be_trained_together_is_refused():
    model = lab("categorical")
    with pytest.raises(ValueError, match="`autoencoder` must be a DiscreteVAE"):
        JointTraining(model.prior, model.prior)
    with pytest.raises(ValueError, match="`prior` must be an AutoregressivePrior"):
        JointTraining(model.autoencoder, StandardNormalPrior([(3,)]))
    with pytest.raises(ValueError, match="`prior` must be an AutoregressivePrior.*without classes"):
        JointTraining(model.autoencoder, UniformPrior([(2, 2)], [K], num_classes=3))
    for shapes, sizes in (([(2, 2)], [K + 1]), ([(1, 4)], [K]), ([(2, 2)] * 2, [K] * 2)):
        with pytest.raises(ValueError, match="`prior` must be over the codes of `autoencoder`"):
            JointTraining(model.autoencoder, UniformPrior(shapes, sizes))
