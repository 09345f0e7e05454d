"""Joint training: an autoencoder and its prior as one Keras model with one loss."""

import math

import keras
from keras import ops

from vqzoo.checks import shown
from vqzoo.layers.replicas import num_replicas, sum_over_replicas
from vqzoo.likelihoods.dequantized_normal import UNIFORM_VARIANCE
from vqzoo.models.autoencoder import scale_pixels, to_grey_levels

DECAY = 0.99
"""Of the moving average of squared errors that a learnt scale follows."""


@keras.saving.register_keras_serializable(package="vqzoo")
class JointTraining(keras.Model):
    """Maximises the evidence lower bound over encoder, codebook, decoder and prior together.

    Section 3.2 and Equation 1 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior?
    (2020). It has no weights but those of its parts, is called on uint8 images
    `(batch, height, width, channels)` and trained by plain `compile` and `fit` on them:

    ```python
    training = JointTraining(autoencoder, prior)
    training.compile("adam")
    training.fit(images, epochs=10, callbacks=autoencoder.training_callbacks())
    ```

    The loss is the negative bound in nats per value, a mean over images and their values, with one
    sample of the posterior, plus what the bottleneck adds. The prior is given the relaxed sample:
    its gradient reaches the encoder through the sample and through the probabilities of the
    divergence. A posterior without relaxation passes it on to the prior alone. `fit` logs the bound
    as `bits_per_dim`, the divergence as `kl` in nats per image, `mse`, and what the autoencoder
    logs of its codes. Bound and divergence are no figures to report: in training they are of relaxed
    samples, on validation data of the most probable codes. Bounds are those of `ZooModel`.

    A learnt scale of p(x | z) is not moved by gradients: given the errors its best value is their
    root mean square, and it follows their moving average.

    Args:
        autoencoder: `DiscreteVAE`.
        prior: without classes, over the codes of `autoencoder`, with `position_log_probs`.
        name: str.

    Raises:
        ValueError: if the autoencoder has no such bottleneck, or the prior is none over its codes,
            or has classes.
    """

    def __init__(self, autoencoder, prior, name="joint_training", **kwargs):
        super().__init__(name=name, **kwargs)
        if not getattr(autoencoder, "trains_with_prior", False):
            raise ValueError(f"`autoencoder` must be a DiscreteVAE. Received: {shown(autoencoder)}")
        if not hasattr(prior, "position_log_probs") or prior.num_classes is not None:
            raise ValueError(
                "`prior` must be an AutoregressivePrior or UniformPrior without classes. "
                f"Received: {shown(prior)}"
            )
        if _latents(prior) != _latents(autoencoder):
            raise ValueError(
                "`prior` must be over the codes of `autoencoder`, sizes of codebooks and maps "
                f"{_latents(autoencoder)}. Received: {_latents(prior)}"
            )
        self.autoencoder, self.prior = autoencoder, prior
        names = ("bits_per_dim", "kl", "mse")
        self.averages = {name: keras.metrics.Mean(name=name) for name in names}
        self.of_codes = [*autoencoder.watched, *autoencoder.code_metrics]
        self.built = True  # the parts made their weights at construction

    def call(self, images, training=None):
        """dict: `decoder_output`, shaped like the images, and `kl`, `(batch,)` nats."""
        model = self.autoencoder
        outputs = model.bottleneck(model.encoder(images), training=training)
        of_prior = self.prior.position_log_probs(model.bottleneck.one_hot(outputs), training)
        return {
            "decoder_output": model.decoder(outputs["vectors"]),
            "kl": model.bottleneck.divergence(outputs, of_prior),
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative bound of images `x` in nats per value; labels `y` change nothing."""
        model, batch_size = self.autoencoder, ops.shape(x)[0]
        output, kl = y_pred["decoder_output"], y_pred["kl"]
        nats = model.log_likelihood(x, output) - kl
        bound = ops.mean(nats) / math.prod(model.image_shape)
        error = ops.mean(ops.square(output - scale_pixels(x)))
        values = {"bits_per_dim": -bound / math.log(2), "kl": ops.mean(kl), "mse": error}
        for name, value in values.items():
            self.averages[name].update_state(value, sample_weight=batch_size)
        model.watch_codes(batch_size)
        if training and model.fits_scale:
            self._follow_error(x, output)
        # Keras wants losses where it is asked for them; not every bottleneck adds one.
        added = super().compute_loss(x, None, y_pred, None, training) if self.losses else 0.0
        # Keras adds up what the replicas return, and has divided what was added to the losses.
        return added - bound / num_replicas()

    def _follow_error(self, images, output):
        """Moves the scale of p(x | z) towards the error of this batch."""
        offset = ops.stop_gradient(to_grey_levels(output)) - ops.cast(images, "float32")
        error = sum_over_replicas(ops.mean(ops.square(offset)) / num_replicas()) + UNIFORM_VARIANCE
        scale = self.autoencoder.likelihood_scale
        average = DECAY * ops.square(scale) + (1 - DECAY) * error
        scale.assign(ops.sqrt(average))

    def get_config(self):
        """Constructor arguments, the parts serialised."""
        parts = {"autoencoder": self.autoencoder, "prior": self.prior}
        parts = {key: keras.saving.serialize_keras_object(part) for key, part in parts.items()}
        return {**super().get_config(), **parts}

    @classmethod
    def from_config(cls, config):
        """The model that `get_config` came from, with new weights."""
        parts = {key: config[key] for key in ("autoencoder", "prior")}
        parts = {key: keras.saving.deserialize_keras_object(part) for key, part in parts.items()}
        return cls(**{**config, **parts})


def _latents(part):
    """List of a pair for each level: the size of its codebook, the shape of its map."""
    return list(zip(part.codebook_sizes, map(tuple, part.latent_shapes), strict=True))
