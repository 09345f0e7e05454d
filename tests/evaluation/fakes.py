"""Tiny stand-ins whose numbers are known in closed form."""

import numpy as np

from vqzoo.likelihoods import DiscretizedNormal


class Compiled:
    """Looks like a `keras.Model` from outside."""

    def __init__(self, function):
        self.predict_on_batch = function


class BlockMeans:
    """Autoencoder: the code of a 2 x 2 block is its first grey level divided by 16.

    It decodes a code k to the grey level `16 k + 8`.
    """

    codebook_sizes, stride = [16], 2

    def __init__(self, height=4, width=6, scale=5.0):
        self.image_shape, self.latent_shapes = (height, width, 1), [(height // 2, width // 2)]
        self.likelihood, self.likelihood_scale = DiscretizedNormal(), scale
        self.encoder_model = Compiled(self.encode)
        self.decoder_model = Compiled(self.decoder_output)

    def encode(self, images):
        return [(images[:, ::2, ::2, 0] // 16).astype("int32")]

    def decoder_output(self, codes):
        levels = np.repeat(np.repeat(codes[0], 2, axis=1), 2, axis=2)[..., None] * 16.0 + 8
        return (levels / 127.5 - 1).astype("float32")

    def posterior(self, images, seed, indices):
        codes = self.encode(images)
        return codes, codes, np.zeros(len(images), "float32")

    def to_pixels(self, decoder_output):
        return decoder_output

    def log_likelihood(self, images, decoder_output):
        mean = (decoder_output + 1) * 127.5
        nats = self.likelihood.log_prob(images, mean, self.likelihood_scale)
        return np.sum(nats, axis=(1, 2, 3))


class TablePrior:
    """Independent positions with probabilities `(classes, positions, codes)`."""

    def __init__(self, probabilities, latent_shape):
        self.probabilities, self.latent_shape = np.asarray(probabilities), latent_shape
        self.num_classes = len(self.probabilities)

    def log_prob(self, latents, labels=None):
        codes = latents[0].reshape(len(latents[0]), -1)
        if labels is None:
            constant = [np.full(len(codes), label) for label in range(self.num_classes)]
            every = [self.log_prob(latents, labels) for labels in constant]
            return np.logaddexp.reduce(every) - np.log(self.num_classes)
        chosen = self.probabilities[labels[:, None], np.arange(codes.shape[1]), codes]
        return np.log(chosen).sum(axis=1).astype("float32")

    def sample(self, num_images, labels=None, seed=0):
        generator = np.random.default_rng(seed)
        cumulative = self.probabilities.cumsum(axis=-1)[labels]
        draws = generator.random(cumulative.shape[:2])[..., None]
        codes = (draws > cumulative).sum(axis=-1).astype("int32")
        return [codes.reshape(num_images, *self.latent_shape)]


class FakeModel:
    """A `ZooModel` of such parts."""

    def __init__(self, autoencoder, prior, class_names=None):
        self.autoencoder, self.prior = autoencoder, prior
        self.class_names = class_names

    def decode(self, codes, batch_size=64):
        output = self.autoencoder.decoder_output(codes)
        return np.clip(np.round((output + 1) * 127.5), 0, 255).astype("uint8")
