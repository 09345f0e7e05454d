import keras
import numpy as np
import pytest

from vqzoo.layers import AnnealTemperature, ExponentialTemperature, GumbelSoftmaxLatent

FEATURES = np.random.default_rng(0).normal(size=(12, 2, 3, 5)).astype("float32")


def new_model():
    """A model around a layer, and the layer, with a record of the temperatures that it met."""
    keras.utils.set_random_seed(0)
    layer = GumbelSoftmaxLatent(5, 2, seed=0)
    features = keras.Input((2, 3, 5))
    outputs = keras.layers.Dense(1)(layer(features)["vectors"])
    model = keras.Model(features, outputs)
    model.compile("sgd", "mse")
    return model, layer


class Record(keras.callbacks.Callback):
    """Notes the temperature at every step."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.temperatures = layer, []

    def on_train_batch_end(self, batch, logs=None):
        self.temperatures.append(float(self.layer.temperature))


def fit(model, layer, steps=None, **arguments):
    record = Record(layer)
    history = model.fit(
        FEATURES,
        np.zeros((12, 2, 3, 1)),
        callbacks=[AnnealTemperature(layer, steps=steps), record],
        verbose=0,
        **arguments,
    )
    return record.temperatures, history.history


def test_schedule_is_exponential():
    schedule = ExponentialTemperature()
    assert schedule(0) == 1.0 and schedule(1) == pytest.approx(0.1)
    assert schedule(0.5) == pytest.approx(np.sqrt(0.1))
    assert ExponentialTemperature(0.5, 0.5)(0.3) == 0.5


def test_every_step_has_its_temperature():
    temperatures, history = fit(*new_model(), batch_size=4, epochs=3)
    np.testing.assert_allclose(temperatures, 0.1 ** (np.arange(9) / 9), rtol=1e-6)
    np.testing.assert_allclose(history["temperature"], temperatures[2::3], rtol=1e-6)


def test_a_training_that_goes_on_has_the_temperatures_that_it_would_have_had():
    model, layer = new_model()
    first, _ = fit(model, layer, steps=6, batch_size=4, epochs=1)
    second, _ = fit(model, layer, steps=6, batch_size=4, epochs=1)
    np.testing.assert_allclose(first + second, 0.1 ** (np.arange(6) / 6), rtol=1e-6)


def test_a_second_fit_without_a_number_of_steps_begins_anew():
    model, layer = new_model()
    first, _ = fit(model, layer, batch_size=4, epochs=1)
    assert fit(model, layer, batch_size=4, epochs=1)[0] == first


def test_a_fit_that_begins_with_a_later_epoch_goes_on():
    model, layer = new_model()
    first, _ = fit(model, layer, batch_size=4, epochs=2)
    second, _ = fit(model, layer, batch_size=4, epochs=4, initial_epoch=2)
    # the first call falls to 0.1 in its two epochs, the second is the later half of four
    batches = len(first) // 2
    np.testing.assert_allclose(first, 0.1 ** (np.arange(2 * batches) / (2 * batches)), rtol=1e-6)
    late = np.arange(2 * batches, 4 * batches)
    np.testing.assert_allclose(second, 0.1 ** (late / (4 * batches)), rtol=1e-6)


def test_samples_are_drawn_at_that_temperature():
    _, layer = new_model()
    layer.temperature.assign(0.01)
    weights = np.asarray(layer(FEATURES, training=True)["weights"])
    # 1 - largest is a few parts in a thousand at 0.01 and a third at 1.0.
    assert weights.max(axis=-1).mean() > 0.97


def test_what_is_wrong_is_named():
    for arguments in ({"start": 0}, {"end": -1.0}, {"end": "low"}):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`.*Received"):
            ExponentialTemperature(**arguments)
    _, layer = new_model()
    with pytest.raises(ValueError, match="`steps`.*Received"):
        AnnealTemperature(layer, steps=0)
    with pytest.raises(ValueError, match="`layer` must be a GumbelSoftmaxLatent.*Received"):
        AnnealTemperature("bottleneck")
    with pytest.raises(ValueError, match="`schedule` must be a function.*Received"):
        AnnealTemperature(layer, np.zeros(0, bool))  # which is neither true nor false
    with pytest.raises(ValueError, match="`layer` must be a GumbelSoftmaxLatent.*Received.*Dense"):
        AnnealTemperature(keras.layers.Dense(1), steps=3).on_train_begin()
    callback = AnnealTemperature(layer)
    callback.set_params({"epochs": 2, "steps": None})
    with pytest.raises(ValueError, match="`steps` must be given, or `steps_per_epoch`"):
        callback.on_train_begin()
