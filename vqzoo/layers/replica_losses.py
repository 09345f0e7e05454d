"""Losses of `add_loss` that stay with the replica that computed them."""

import threading

import keras


class ReplicaLosses(keras.layers.Layer):
    """A layer whose losses each replica of a strategy keeps for itself.

    Keras keeps the losses of `add_loss` in one list. `MirroredStrategy` runs each replica in a
    thread and switches threads at every collective, so with one list for all, a replica would take
    another one's loss for its own.
    """

    def __init__(self, **kwargs):
        self._of_thread = threading.local()
        super().__init__(**kwargs)

    @property
    def _losses(self):
        if not hasattr(self._of_thread, "losses"):
            self._of_thread.losses = []
        return self._of_thread.losses

    @_losses.setter
    def _losses(self, losses):
        self._of_thread.losses = losses
