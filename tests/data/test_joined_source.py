"""Several sources as one: which image is where, and how often it is drawn."""

import numpy as np
import pytest

from vqzoo.data import ArraySource, training_batches, training_source
from vqzoo.data.joined_source import JoinedSource, MixedSource

COUNTS = (3, 7, 1)
NUMBERS = np.split(np.arange(11, dtype="uint8"), np.cumsum(COUNTS)[:-1])
"""Pixel values of the images of each source: 0 1 2, 3 .. 9, 10."""


def sources(class_names=("even", "odd")):
    names = ["first", "second", "third"]
    return [
        ArraySource(part.reshape(-1, 1, 1, 1), part % 2, list(class_names), name, [f"{name}.png"])
        for part, name in zip(NUMBERS, names, strict=True)
    ]


def test_joined_sources_hold_every_image_once():
    joined = JoinedSource(sources())
    batch = joined.take(np.arange(len(joined)))
    np.testing.assert_array_equal(batch["image"].reshape(-1), np.arange(11))
    np.testing.assert_array_equal(batch["label"], np.arange(11) % 2)
    assert joined.name == "first + second + third" and joined.class_names == ["even", "odd"]
    assert joined.skipped_names == ["first.png", "second.png", "third.png"]
    assert [joined.describe(index) for index in (2, 3, 10)] == [
        "first: image 2",
        "second: image 0",
        "third: image 0",
    ]


def test_a_pass_over_mixed_sources_takes_as_many_images_from_each():
    mixed = MixedSource(sources())
    assert len(mixed) == 3 * 7
    values = mixed.take(np.arange(len(mixed)))["image"].reshape(-1)
    counts = np.bincount(values, minlength=11)
    for part in NUMBERS:
        assert counts[part].sum() == 7
        assert counts[part].max() - counts[part].min() <= 1, "not repeated evenly"


def test_training_draws_from_joined_sources_equally_often():
    source = training_source(JoinedSource(sources()))
    batches = training_batches(source, 7, seed=3, steps=6)
    values = np.concatenate([images.reshape(-1) for images, _ in batches])
    assert [np.isin(values, part).sum() for part in NUMBERS] == [14, 14, 14]  # two passes
    assert not np.array_equal(values[:21], values[21:])


def test_sources_of_other_classes_are_refused():
    first, second, _ = sources()
    other = sources(("odd", "even"))[1]
    JoinedSource([first, second])
    with pytest.raises(ValueError, match="`data` must be folders of the same classes.*in second"):
        JoinedSource([first, other])
    with pytest.raises(ValueError, match=r"\['even', 'odd'\] in first, None in arrays"):
        JoinedSource([first, ArraySource(second.images)])
