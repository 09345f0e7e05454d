"""Temperature of Gumbel-softmax samples over a training."""

import keras

from vqzoo.checks import checked_int, checked_number, shown


class ExponentialTemperature:
    """Falls by the same factor in equal times: `start * (end / start) ** progress`.

    Section 5 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020): from 1.0
    to 0.1 over training. Temperatures have no unit.

    Args:
        start, end: floats above 0, at the beginning and at the end; equal ones are constant.

    Raises:
        ValueError: if one of them is not above 0 and finite.
    """

    def __init__(self, start=1.0, end=0.1):
        self.start, self.end = (
            checked_number(value, name, "above 0 and finite", lambda t: 0 < t < float("inf"))
            for name, value in (("start", start), ("end", end))
        )

    def __call__(self, progress):
        """The temperature, a float, when `progress` in 0..1 of training is done."""
        return self.start * (self.end / self.start) ** progress


class AnnealTemperature(keras.callbacks.Callback):
    """Sets a `GumbelSoftmaxLatent`'s temperature before every step of `fit`, and logs it.

    It is a function of the optimizer's step alone, so that a training which goes on from a
    checkpoint has the temperatures that it would have had. Logged after every epoch as
    `temperature`; a model logs how close to one-hot its samples are as `largest_weight`, the
    mean over positions of the largest weight, 1 for one-hot ones.

    ```python
    autoencoder.fit(images, epochs=10, callbacks=[AnnealTemperature(autoencoder.bottleneck)])
    ```

    Args:
        layer: `GumbelSoftmaxLatent`, or any layer with a variable `temperature`.
        schedule: function of the share of training that is done, such as
            `ExponentialTemperature`; None for that from 1.0 to 0.1.
        steps: int, steps of the whole training; None for those of this `fit`, which must know
            how many batches there are.

    Raises:
        ValueError: if `layer` is no Keras layer or `schedule` cannot be called; in `fit`, if
            `layer` has no temperature, or `steps` is None and the number of batches is not known.
    """

    changes_training = True

    def __init__(self, layer, schedule=None, steps=None):
        super().__init__()
        if not isinstance(layer, keras.layers.Layer):
            raise self._no_temperature(layer)
        if schedule is not None and not callable(schedule):
            raise ValueError(
                "`schedule` must be a function of the share of training that is done, or None. "
                f"Received: {shown(schedule)}"
            )
        self.layer = layer
        self.schedule = ExponentialTemperature() if schedule is None else schedule
        self.steps = steps if steps is None else checked_int(steps, "steps")

    @staticmethod
    def _no_temperature(layer):
        return ValueError(
            "`layer` must be a GumbelSoftmaxLatent, or another Keras layer with a variable "
            f"`temperature`. Received: {shown(layer)}"
        )

    def on_train_begin(self, logs=None):
        if not hasattr(self.layer, "temperature"):  # a layer makes it when it is built
            raise self._no_temperature(self.layer)
        self.first, self.whole = 0, self.steps
        if self.steps is None:
            batches = self.params.get("steps")
            if batches is None:
                raise ValueError(
                    "`steps` must be given, or `steps_per_epoch` to `fit`, for data of which the "
                    "number of batches is not known. Received: None"
                )
            self.first, self.whole = None, batches * self.params["epochs"]

    def on_epoch_begin(self, epoch, logs=None):
        if self.first is None:  # `fit` may begin with a later epoch
            self.first = self._step() - epoch * self.params["steps"]

    def _step(self):
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))

    def on_train_batch_begin(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # else `fit` would not see what is assigned
        done = min((self._step() - self.first) / self.whole, 1.0)
        self.layer.temperature.assign(self.schedule(done))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["temperature"] = float(keras.ops.convert_to_numpy(self.layer.temperature))
