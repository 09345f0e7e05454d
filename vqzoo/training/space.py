"""How much room on the disk a run will take, before it starts."""

import math

SPARE = 100_000_000
"""Bytes for what is not counted: pictures, logs, scores."""


def bytes_needed(model, num_images):
    """Estimate of the size of a whole run folder.

    Args:
        model: `ZooModel` of the run's configuration, with any weights.
        num_images: int, training images.

    Returns:
        int.
    """
    weights = sum(_num_numbers(part) for part in (model.autoencoder, model.prior)) * 4
    # Of each stage: two checkpoints and one being written, with the two averages of Adam in each;
    # the best ones and those of the model folder.
    checkpoints = weights * (3 * 3 + 3 + 2)
    codes = 0
    if model.prior.trainable_stage:  # only then are codes extracted
        codes = sum(math.prod(shape) for shape in model.autoencoder.latent_shapes) * 2 + 2
    return checkpoints + num_images * codes + SPARE


def _num_numbers(model):
    return sum(math.prod(variable.shape) for variable in model.weights)
