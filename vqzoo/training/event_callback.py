"""Keras callback that shows a training stage in TensorBoard."""

import keras
import numpy as np
from keras import ops

from vqzoo.evaluation.codebook import usage_counts
from vqzoo.evaluation.pictures import comparison
from vqzoo.training.checkpoints import iterations
from vqzoo.training.event_log import EventLog

GRID_IMAGES = 20


class EventCallback(keras.callbacks.Callback):
    """Writes the metrics of every epoch of `fit`, and how an autoencoder sees a few images.

    Args:
        folder: path of the event files.
        name: str, put before the names of metrics, as in `autoencoder/loss`.
        autoencoder: the model that `fit` trains or a part of it, None for a prior.
        images: uint8 `(n, H, W, C)`, given with `autoencoder`: the first 20 are shown beside their
            reconstructions, and how often each code occurs in all of them. Without latents there
            is nothing to show.
    """

    def __init__(self, folder, name, autoencoder=None, images=None):
        super().__init__()
        self.folder, self.name = folder, name
        self.autoencoder, self.images = autoencoder, images

    def on_train_begin(self, logs=None):
        # Not in the constructor: the optimizer's count is only known once a checkpoint is restored.
        self.log = EventLog(self.folder, iterations(self.model))

    def on_epoch_end(self, epoch, logs=None):
        step = iterations(self.model)
        values = {**(logs or {}), "learning_rate": self._learning_rate()}
        self.log.scalars(step, {f"{self.name}/{key}": value for key, value in values.items()})
        if self.autoencoder is not None and self.autoencoder.latent_shapes:
            self._show(step)

    def on_train_end(self, logs=None):
        self.log.close()

    def _learning_rate(self):
        return float(ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _show(self, step):
        # Called as it is, not through `predict_on_batch`: under a strategy that repeats the
        # batch on every replica.
        latents = self.autoencoder.encode(self.images)
        decoded = self.autoencoder.decode([level[:GRID_IMAGES] for level in latents])
        shown = comparison(self.images[:GRID_IMAGES], ops.convert_to_numpy(decoded))
        self.log.image(step, "reconstructions", shown)
        for level, size in enumerate(self.autoencoder.codebook_sizes):
            if size is not None:
                counts = usage_counts(np.asarray(latents[level]), size)
                self.log.usage(step, f"codebook_{level}/usage", counts)
