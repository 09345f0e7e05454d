"""Batches whose content is a function of the seed and the step, as Grain datasets."""

from vqzoo.checks import checked_bool, checked_int, checked_seed, shown
from vqzoo.data.quiet import quiet

THREADS, BATCHES_AHEAD = 2, 8
"""Threads that prepare batches, and how many batches they may be ahead of training."""

MOST_STEPS = 2**40
"""More than any training takes; Grain cannot count much further."""

MOST_IMAGES, MOST_PIXELS = 256, 2**22
"""Bounds of what is read at once where nothing is learnt: 256 images of up to 128 x 128."""


def training_batches(source, batch_size, seed, steps, start_step=0, flip=False, labels=True):
    """Returns the batches of steps `start_step .. steps - 1`, to be given to Keras' `fit`.

    A [Grain](https://github.com/google/grain) dataset with random access by step, and no buffer.
    Each pass over the source is a new permutation of it; batches run on over its end, so that all
    are full. What a batch holds depends on `seed` and its step alone: training that starts again
    at `start_step` sees what it would have seen.

    Args:
        source: `ImageSource`; of pictures larger than its `image_shape` a batch holds random crops.
        batch_size: int, images in a batch.
        seed: int in 0 .. 2**32 - 1.
        steps: int, step before which the batches end.
        start_step: int in `0 .. steps`, first step that is given.
        flip: bool, whether each image is mirrored left to right with probability 1/2.
        labels: bool, whether batches are pairs `(images, labels)`, or images alone.

    Returns:
        `grain.IterDataset` of uint8 `[batch_size, H, W, C]` and int32 `[batch_size]`.

    Raises:
        ValueError: if the source is empty or, with `labels`, has none; or for a bad number.
    """
    checked_source(source, "source")
    checked_bool(flip, "flip")
    if checked_bool(labels, "labels") and not source.has_labels:
        raise ValueError(
            f"`labels` must be False for images without labels. Received: {labels=} for "
            f"{source.name}, whose images lie in no class folders"
        )

    # Grain hands each batch a generator of its own, made of the seed and the batch's index.
    def load(indices, generator):
        batch = source.take(indices, generator)
        images = batch["image"]
        if flip:
            mirrored = generator.random(len(images)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
        return (images, batch["label"]) if labels else images

    return _shuffled(source, batch_size, seed, steps, start_step, load)


def code_batches(store, batch_size, seed, steps, start_step=0):
    """Returns the batches that a prior is trained on; order and arguments as `training_batches`.

    Args:
        store: `CodeStore`.
        batch_size, seed, steps, start_step: as for `training_batches`.

    Returns:
        `grain.IterDataset` of `({"codes_0": int32 [B, h, w], ..., "labels": int32 [B]},)`.
    """
    checked_source(store, "store")
    return _shuffled(
        store, batch_size, seed, steps, start_step, lambda indices, _: (store.take(indices),)
    )


def eval_batches(source, batch_size):
    """Returns every example once and in order; the last batch may be smaller.

    Args:
        source: `ImageSource` or `CodeStore`.
        batch_size: int.

    Returns:
        `grain.IterDataset` of what `source.take` returns: for images
        `{"image": uint8 [B, H, W, C], "label": int32 [B]}`.
    """
    checked_source(source, "source")
    checked_int(batch_size, "batch_size")
    grain = _grain()
    indices = grain.MapDataset.range(len(source)).batch(batch_size)
    return indices.map(source.take).to_iter_dataset(grain.ReadOptions(THREADS, BATCHES_AHEAD))


def images_at_once(source):
    """How many images of an `ImageSource` or autoencoder are processed together: int.

    No number depends on it.
    """
    height, width, _ = source.image_shape
    return min(MOST_IMAGES, max(1, MOST_PIXELS // (height * width)))


def checked_source(value, argument):
    """The value, a sequence of one example or more that is read in batches, or an error.

    Raises:
        TypeError: naming `argument`, if it is neither `ImageSource` nor `CodeStore`.
        ValueError: if it is empty.
    """
    if not callable(getattr(value, "take", None)) or not hasattr(value, "class_names"):
        raise TypeError(
            f"`{argument}` must be an ImageSource or CodeStore. Received: {shown(value)}"
        )
    if not len(value):
        raise ValueError(f"`{argument}` must hold at least one example. Received: none")
    return value


def _shuffled(source, batch_size, seed, steps, start_step, load):
    """Returns `load(indices, generator)` of each step's indices, int `[batch_size]`."""
    checked_int(batch_size, "batch_size")
    checked_seed(seed)
    checked_int(start_step, "start_step", 0, checked_int(steps, "steps", 0, MOST_STEPS))
    grain = _grain()
    # Only indices pass through Grain one by one; the examples of a batch are read together.
    indices = grain.MapDataset.range(len(source)).seed(seed).shuffle().repeat()
    # `repeat` comes before `batch`: a batch runs on over the end of a pass, and none is short.
    batches = indices.batch(batch_size, drop_remainder=True).random_map(load)
    return batches[start_step:steps].to_iter_dataset(grain.ReadOptions(THREADS, BATCHES_AHEAD))


def _grain():
    """Returns the module; imported late, since listing entries needs no pipeline."""
    with quiet():
        import grain
    return grain
