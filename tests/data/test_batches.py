import subprocess
import sys

import numpy as np
import pytest

from vqzoo.data import ArraySource, eval_batches, images_at_once, training_batches

NUM_IMAGES = 11
IMAGES = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, 3, 4, 1)).astype("uint8")
SOURCE = ArraySource(IMAGES, np.arange(NUM_IMAGES))  # the label is the index


def batches(**changes):
    """Returns the batches as a list; 11 images in batches of 4 run over the ends of passes."""
    arguments = {"batch_size": 4, "seed": 7, "steps": 22} | changes
    return list(training_batches(SOURCE, **arguments))


def assert_same(left, right):
    assert len(left) == len(right)
    for ours, theirs in zip(left, right, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_batches_are_full_and_hold_their_images():
    found = batches()
    assert len(found) == 22
    for images, labels in found:
        assert images.dtype == np.uint8 and labels.dtype == np.int32
        np.testing.assert_array_equal(images, IMAGES[labels])
        assert images.shape == (4, 3, 4, 1)


def test_every_pass_is_another_permutation():
    order = np.concatenate([labels for _, labels in batches()]).reshape(8, NUM_IMAGES)
    np.testing.assert_array_equal(np.sort(order), np.tile(np.arange(NUM_IMAGES), (8, 1)))
    assert len(np.unique(order, axis=0)) == 8
    assert not (order[0] == np.arange(NUM_IMAGES)).all()


def test_every_place_is_equally_likely():
    source = ArraySource(np.zeros((10, 1, 1, 1), "uint8"), np.arange(10))
    counts = np.zeros((10, 10))
    for _, labels in training_batches(source, 10, seed=0, steps=100):
        counts[np.arange(10), labels] += 1
    # 100 draws with p = 1/10: standard deviation 3; 5 of them leave about 1 in 10^4 for 100 counts.
    assert np.abs(counts - 10).max() < 15, counts


def test_resuming_gives_the_tail_bit_for_bit():
    whole = batches(flip=True)
    for start in (0, 1, 9, 21, 22):
        assert_same(batches(flip=True, start_step=start), whole[start:])


def test_a_batch_depends_on_seed_and_step_alone():
    whole = batches(flip=True)
    assert_same(batches(flip=True), whole)
    assert_same(batches(flip=True, steps=5), whole[:5])
    for step in (3, 17):
        assert_same(batches(flip=True, start_step=step, steps=step + 1), [whole[step]])
    other = batches(flip=True, seed=8)
    assert any((ours[1] != theirs[1]).any() for ours, theirs in zip(whole, other, strict=True))


def test_iterating_twice_gives_the_same():
    dataset = training_batches(SOURCE, 4, seed=7, steps=22, flip=True)
    assert_same(list(dataset), list(dataset))


def test_about_half_of_the_images_are_mirrored():
    images = np.random.default_rng(1).integers(0, 256, (200, 3, 4, 1)).astype("uint8")
    before, mirrored = images.copy(), []
    source = ArraySource(images, np.arange(200))
    for batch, labels in training_batches(source, 8, seed=0, steps=250, flip=True):
        plain, flipped = before[labels], before[labels][:, :, ::-1]
        is_flipped = (batch == flipped).all(axis=(1, 2, 3))
        assert (is_flipped | (batch == plain).all(axis=(1, 2, 3))).all()
        mirrored.append(is_flipped)
    assert abs(np.mean(mirrored) - 0.5) < 0.056  # 5 standard deviations of 2000 coins
    shares = np.mean(mirrored, axis=0)  # of each place in the batch: 250 coins
    assert np.abs(shares - 0.5).max() < 0.16, shares
    np.testing.assert_array_equal(images, before)


def test_flips_leave_the_order_alone():
    for (_, ours), (_, theirs) in zip(batches(), batches(flip=True), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_labels_batches_are_images():
    with_labels, without = batches(steps=3), batches(steps=3, labels=False)
    for (images, _), alone in zip(with_labels, without, strict=True):
        np.testing.assert_array_equal(images, alone)
    unlabelled = ArraySource(IMAGES)
    with pytest.raises(ValueError, match="`labels` must be False"):
        training_batches(unlabelled, 4, seed=0, steps=1)
    assert next(iter(training_batches(unlabelled, 4, 0, 1, labels=False))).shape == (4, 3, 4, 1)


@pytest.mark.parametrize("change", [{"batch_size": 0}, {"seed": -1}, {"seed": 2**32}])
def test_bad_numbers_are_named(change):
    (name, value), = change.items()
    with pytest.raises(ValueError, match=rf"`{name}` must be .*Received: {value}"):
        batches(**change)


@pytest.mark.parametrize("start", [-1, 23])
def test_a_start_outside_of_the_steps_is_refused(start):
    with pytest.raises(ValueError, match=r"`start_step` must be an int in 0\.\.22"):
        batches(start_step=start)


def test_an_empty_source_is_refused():
    with pytest.raises(ValueError, match="`source` must hold"):
        training_batches(ArraySource(IMAGES[:0]), 4, 0, 1, labels=False)


@pytest.mark.parametrize("batch_size", [1, 4, 11, 20])
def test_evaluation_sees_everything_once_in_order(batch_size):
    found = list(eval_batches(SOURCE, batch_size))
    assert all(len(batch["image"]) == batch_size for batch in found[:-1])
    np.testing.assert_array_equal(np.concatenate([batch["image"] for batch in found]), IMAGES)
    labels = np.concatenate([batch["label"] for batch in found])
    assert labels.dtype == np.int32 and labels.tolist() == list(range(NUM_IMAGES))


FIT = """
import keras, numpy as np, tensorflow as tf
from vqzoo.data import ArraySource, training_batches
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
images = np.random.default_rng(0).integers(0, 256, (11, 3, 4, 1)).astype("uint8")
source = ArraySource(images, np.arange(11))

def weights(strategy, data, epochs):
    with strategy.scope():
        layers = [keras.layers.Flatten(), keras.layers.Rescaling(1 / 255)]
        head = keras.layers.Dense(11, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((3, 4, 1)), *layers, head])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.5), loss)
    model.fit(data, epochs=epochs, steps_per_epoch=6, shuffle=False, verbose=0)
    assert keras.ops.convert_to_numpy(model.optimizer.iterations) == 6 * epochs
    return head.get_weights()[0]

data = training_batches(source, 4, seed=1, steps=18, flip=True)
one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
plain = weights(one, (batch for batch in [*data]), 3)  # the batches themselves, without Grain
fitted, mirrored = weights(one, data, 3), weights(two, data, 3)
assert np.abs(plain).max() > 0.01
print((plain == fitted).all(), np.abs(plain - mirrored).max() < 1e-5)
"""


def test_fit_takes_the_batches_as_they_are_on_one_and_two_replicas():
    pytest.importorskip("tensorflow")
    process = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True)
    assert process.stdout.split() == ["True", "True"], process.stdout + process.stderr[-3000:]


@pytest.mark.parametrize(("side", "count"), [(1, 256), (128, 256), (256, 64), (1024, 4), (4096, 1)])
def test_fewer_large_images_are_read_at_once(side, count):
    assert images_at_once(ArraySource(np.zeros((1, side, side, 1), "uint8"))) == count
