"""The estimate of a run folder's size covers what a run writes."""

from types import SimpleNamespace

import keras

from vqzoo.training.space import SPARE, bytes_needed


def test_counts_checkpoints_and_codes():
    part = keras.Sequential([keras.Input((9,)), keras.layers.Dense(10)])  # 100 numbers
    part.latent_shapes = [(2, 2), (4, 4)]
    part.trainable_stage = True
    model = SimpleNamespace(autoencoder=part, prior=part)
    with_images, without = (bytes_needed(model, count) for count in (1000, 0))
    assert with_images - without == 1000 * (20 * 2 + 2)  # uint16 codes and labels
    part.trainable_stage = False  # then no codes are extracted
    assert bytes_needed(model, 1000) == without
    # Two checkpoints with Adam's two averages, and the best weights, of both parts.
    assert without - SPARE > 2 * 100 * 4 * (2 * 3 + 3)
