"""One pass of a data source through an autoencoder, on which the other numbers rest."""

import dataclasses
import math

import numpy as np
from keras import ops

from vqzoo.data import eval_batches, images_at_once
from vqzoo.progress import track


@dataclasses.dataclass
class EncodedSource:
    """What a pass leaves behind, one row for each image.

    Attributes:
        latents: list of arrays `(images, *shape)`, coarse to fine: int32 codes, or the float32
            means of q(z | x).
        labels: int32 array `(images,)`, or None for a source without labels.
        squared_errors: float64 array `(images,)`, summed over an image, on the scale -1..1, nan
            where there are no latents to decode; or None if nothing was decoded.
        log_likelihoods: float64 array `(images,)`, log p(x | z) in nats; or None likewise. Here and
            below z is `draws`.
        draws: list of arrays as `latents`, drawn from q(z | x): for codes these themselves.
        log_posteriors: float64 array `(images,)`, log q(z | x) in nats, 0 for codes; or None.
    """

    latents: list
    labels: np.ndarray | None
    squared_errors: np.ndarray | None = None
    log_likelihoods: np.ndarray | None = None
    draws: list | None = None
    log_posteriors: np.ndarray | None = None

    def __post_init__(self):
        if self.draws is None:
            self.draws = self.latents

    def __len__(self):
        return len(self.latents[0])


def encode_source(autoencoder, source, what="encoding", seed=0):
    """The latents, draws and labels of all images of a source, as an `EncodedSource`."""
    latents, draws, labels, index = [], [], [], 0
    for batch in _batches(source, what):
        indices = index + np.arange(len(batch["image"]))
        *levels, _ = autoencoder.posterior(batch["image"], seed, indices)
        for kept, of_batch in zip((latents, draws), levels, strict=True):
            kept.append([np.asarray(level) for level in of_batch])
        labels.append(batch.get("label"))
        index += len(indices)
    labels = _joined_labels(labels)
    return EncodedSource(_joined_levels(latents), labels, draws=_joined_levels(draws))


def autoencode_source(autoencoder, source, what="reconstructing", seed=0):
    """As `encode_source`, with squared error, log-likelihood and a draw of each image.

    Args:
        autoencoder: has `posterior` and `image_log_prob`, and if it has latents `decoder_model`,
            `to_pixels` and `log_likelihood`.
        source: `vqzoo.data.ImageSource`.
        what: str, shown beside the progress.
        seed: int, of the draws.
    """
    passes, labels, index = [], [], 0
    for batch in _batches(source, what):
        images = batch["image"]
        indices = np.arange(index, index + len(images))
        passes.append(_autoencode(autoencoder, images, seed, indices))
        labels.append(batch.get("label"))
        index += len(images)
    latents, draws, *scores = zip(*passes, strict=True)
    errors, nats, posteriors = (np.concatenate(parts).astype("float64") for parts in scores)
    latents, draws = _joined_levels(latents), _joined_levels(draws)
    return EncodedSource(latents, _joined_labels(labels), errors, nats, draws, posteriors)


def _autoencode(autoencoder, images, seed, indices):
    """Latents, draws, squared errors, log-likelihoods and log q(draws | x) of a batch."""
    latents, draws, posteriors = autoencoder.posterior(images, seed, indices)
    if not latents:
        nothing = np.full(len(images), np.nan)
        return latents, draws, nothing, autoencoder.image_log_prob(images, draws), posteriors
    output = np.asarray(autoencoder.decoder_model.predict_on_batch(latents))
    errors = squared_errors(images, ops.convert_to_numpy(autoencoder.to_pixels(output)))
    if draws is not latents:  # an image is reconstructed from the mean, and scored by a draw
        output = np.asarray(autoencoder.decoder_model.predict_on_batch(draws))
    nats = ops.convert_to_numpy(autoencoder.log_likelihood(images, output))
    return latents, draws, errors, nats, posteriors


def reconstructed_batches(model, source):
    """Yields the batches of a source with reconstructions in place of the images.

    Args:
        model: `ZooModel`.
        source: `vqzoo.data.ImageSource`.

    Yields:
        dict as `source.take` gives.
    """
    for batch in _batches(source, "reconstructing"):
        yield {**batch, "image": model.reconstruct(batch["image"])}


def squared_errors(images, pixels):
    """Summed squared error of each image, float64 `(images,)`, with pixels on -1..1.

    Args:
        images: uint8 array `(images, height, width, channels)`.
        pixels: float32 array of that shape, the decoder's mean, before it is rounded.
    """
    errors = pixels.astype("float64") - (images / 127.5 - 1)
    return np.sum(errors**2, axis=(1, 2, 3))


def _batches(source, what):
    batch_size = images_at_once(source)
    total = math.ceil(len(source) / batch_size)
    return track(eval_batches(source, batch_size), total, what)


def _joined_levels(batches):
    return [np.concatenate(level) for level in zip(*batches, strict=True)]


def _joined_labels(batches):
    return None if batches[0] is None else np.concatenate(batches)
