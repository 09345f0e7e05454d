"""What autoencoders with maps of codes share: loss, likelihood and how codes become images."""

import keras
import numpy as np
from keras import ops

from vqzoo.layers.code_metrics import Perplexity, Usage
from vqzoo.layers.replicas import num_replicas
from vqzoo.likelihoods.discretized_normal import DiscretizedNormal
from vqzoo.models.autoencoder import Autoencoder, scale_pixels, to_grey_levels


class QuantizedAutoencoder(Autoencoder):
    """An autoencoder whose latents are codes of one or several quantizers.

    The graph gives float32 means on the scale -1..1. The loss is their mean squared error, a mean
    over all values, plus what the quantizers add. A family has
    `quantizers`, and calls `add_watched_parts` when it is made.
    """

    fits_scale, first_scale = True, 1.0
    likelihood_class = DiscretizedNormal

    def add_watched_parts(self):
        """Makes the likelihood with its scale, and what `fit` logs of the codes."""
        self.likelihood = self.likelihood_class()
        start = keras.initializers.Constant(self.first_scale)
        self.likelihood_scale = self.add_weight(
            name="likelihood_scale", shape=(), initializer=start, trainable=False, dtype="float32"
        )  # grey levels; fitted once the autoencoder is trained
        self.watched = [keras.metrics.Mean(name=name) for name in self.quantizers[0].watched]
        several = len(self.quantizers) > 1
        self.code_metrics = []
        for level, quantizer in enumerate(self.quantizers):
            end = f"_{level}" if several else ""
            for name, kind in (("perplexity", Perplexity), ("usage", Usage)):
                self.code_metrics.append(kind(quantizer.num_embeddings, name=name + end))

    @property
    def quantizers(self):
        """List of the quantizers, coarse to fine."""
        raise NotImplementedError

    @property
    def stochastic(self):
        """bool, whether a quantizer draws codes."""
        return any(quantizer.stochastic for quantizer in self.quantizers)

    @property
    def exact_weights(self):
        """Codebooks with their averages, and the scale: float16 would change the nearest codes."""
        codebooks = [weight for quantizer in self.quantizers for weight in quantizer.variables]
        return [*codebooks, self.likelihood_scale]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch of images `x`; labels, if a data set has them, change nothing."""
        self.watch_codes(ops.shape(x)[0])
        # Keras wants losses where it is asked for them; not every quantizer adds one.
        added = super().compute_loss(x, None, y_pred, None, training) if self.losses else 0.0
        # Keras adds up what the replicas return, and has divided the losses of the quantizers.
        return added + ops.mean(ops.square(y_pred - scale_pixels(x))) / num_replicas()

    def watch_codes(self, batch_size):
        """Updates the metrics of codes by what the quantizers have seen in their last call."""
        seen = [quantizer.seen for quantizer in self.quantizers]
        for metric in self.watched:
            metric.update_state(sum(level[metric.name] for level in seen), sample_weight=batch_size)
        for index, metric in enumerate(self.code_metrics):
            metric.update_state(seen[index // 2]["counts"])

    def to_pixels(self, decoder_output):
        """What the decoder gave, which is that already."""
        return decoder_output

    def log_likelihood(self, images, decoder_output):
        """log p(x | z) in nats, float32 `(batch,)`, of uint8 `images` under the fitted scale."""
        mean = to_grey_levels(decoder_output)
        nats = self.likelihood.log_prob(images, mean, self.likelihood_scale)
        return ops.sum(nats, axis=(1, 2, 3))

    def posterior(self, images, seed, indices):
        """Codes are a function of the image: they are the draws, with log-probability 0."""
        codes = keras.tree.flatten(self.encoder_model.predict_on_batch(images))
        return codes, codes, np.zeros(len(images), "float32")
