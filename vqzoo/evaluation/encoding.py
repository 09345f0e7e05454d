"""One pass of a data source through an autoencoder, on which the other numbers rest."""

import dataclasses
import math

import numpy as np
from keras import ops

from vqzoo.data import eval_batches
from vqzoo.progress import track

BATCH_SIZE = 256
"""Images in memory at once; no number depends on it."""


@dataclasses.dataclass
class EncodedSource:
    """What a pass leaves behind, one row for each image.

    Attributes:
        codes: list of int32 arrays `(images, h, w)`, coarse to fine.
        labels: int32 array `(images,)`, or None for a source without labels.
        squared_errors: float64 array `(images,)`, summed over an image, on the scale -1..1; or
            None if nothing was decoded.
        log_likelihoods: float64 array `(images,)`, log p(x | z) in nats; or None likewise.
    """

    codes: list
    labels: np.ndarray | None
    squared_errors: np.ndarray | None = None
    log_likelihoods: np.ndarray | None = None

    def __len__(self):
        return len(self.codes[0])


def encode_source(autoencoder, source, what="encoding"):
    """The codes and labels of all images of a source, as an `EncodedSource`."""
    codes, labels = [], []
    for batch in _batches(source, what):
        codes.append(_encode(autoencoder, batch["image"]))
        labels.append(batch.get("label"))
    return EncodedSource(_joined_levels(codes), _joined_labels(labels))


def autoencode_source(autoencoder, source, what="reconstructing"):
    """As `encode_source`, with squared error and log-likelihood of each image.

    Args:
        autoencoder: has `encoder_model`, `decoder_model` and `log_likelihood`.
        source: `vqzoo.data.ImageSource`.
        what: str, shown beside the progress.
    """
    codes, labels, errors, nats = [], [], [], []
    for batch in _batches(source, what):
        images = batch["image"]
        codes.append(_encode(autoencoder, images))
        labels.append(batch.get("label"))
        output = np.asarray(autoencoder.decoder_model.predict_on_batch(codes[-1]))
        errors.append(squared_errors(images, output))
        nats.append(ops.convert_to_numpy(autoencoder.log_likelihood(images, output)))
    return EncodedSource(
        _joined_levels(codes),
        _joined_labels(labels),
        np.concatenate(errors),
        np.concatenate(nats).astype("float64"),
    )


def squared_errors(images, output):
    """Summed squared error of each image, float64 `(images,)`, with pixels on -1..1.

    Args:
        images: uint8 array `(images, height, width, channels)`.
        output: float32 array of that shape, what the decoder returned, before it is rounded.
    """
    errors = output.astype("float64") - (images / 127.5 - 1)
    return np.sum(errors**2, axis=(1, 2, 3))


def _batches(source, what):
    total = math.ceil(len(source) / BATCH_SIZE)
    return track(eval_batches(source, BATCH_SIZE), total, what)


def _encode(autoencoder, images):
    codes = autoencoder.encoder_model.predict_on_batch(images)
    levels = codes if isinstance(codes, (list, tuple)) else [codes]
    return [np.asarray(level, "int32") for level in levels]


def _joined_levels(batches):
    return [np.concatenate(level) for level in zip(*batches, strict=True)]


def _joined_labels(batches):
    return None if batches[0] is None else np.concatenate(batches)
