"""The functions of an exported model, as TensorFlow graphs with named inputs and outputs."""

import tensorflow as tf

from vqzoo.latents import level_names


def signatures_of(model):
    """Traces `encode`, `decode`, `reconstruct` and, with a trained prior, `sample`.

    A model without latents has `sample` alone.

    What a signature is: https://www.tensorflow.org/guide/saved_model.

    Args:
        model: `ZooModel`.

    Returns:
        dict of concrete functions, from named tensors with a leading batch axis of any size to
        a dict of such tensors; see `vqzoo.export.saved_model.export`.
    """
    autoencoder = model.autoencoder
    if not autoencoder.latent_shapes:
        return {"sample": _sample_pixels(autoencoder)}
    images = tf.TensorSpec([None, *autoencoder.image_shape], tf.uint8)
    sizes = autoencoder.codebook_sizes
    names = level_names(sizes)
    latents = {
        name: tf.TensorSpec([None, *shape], tf.float32 if size is None else tf.int32)
        for name, shape, size in zip(names, autoencoder.latent_shapes, sizes, strict=True)
    }

    def encode(images):
        return dict(zip(names, autoencoder.encode(images)))

    def decode(**latents):
        levels = [_checked(name, latents[name], size) for name, size in zip(names, sizes)]
        return {"images": autoencoder.decode(levels)}

    def reconstruct(images):
        return {"images": autoencoder.decode(autoencoder.encode(images))}

    traced = {
        "encode": _trace(encode, images=images),
        "decode": _trace(decode, **latents),
        "reconstruct": _trace(reconstruct, images=images),
    }
    if model.has_prior:
        traced["sample"] = _sample(autoencoder, model.prior)
    return traced


def _sample_pixels(autoencoder):
    """Traces `sample` of a model without latents, whose one input is `seed`."""

    def sample(seed):
        return {"images": autoencoder.images_of_seeds(_in_range("seed", seed, 2**32))}

    return _trace(sample, seed=tf.TensorSpec([None], tf.int64))


def _sample(autoencoder, prior):
    """Traces `sample`; `labels` are an input only if the prior has classes."""

    def sample(seed, temperature, labels=None):
        seed = _in_range("seed", seed, 2**32)
        if labels is not None:
            labels = _in_range("labels", labels, prior.num_classes)
        possible = (temperature > 0) & (temperature < float("inf"))
        temperature = _where(possible, temperature, "`temperature` must be above 0 and finite")
        return {"images": autoencoder.decode(prior.latents_of_seeds(seed, labels, temperature))}

    dtypes = {"seed": tf.int64, "temperature": tf.float32}
    if prior.num_classes is not None:
        dtypes["labels"] = tf.int32
    rows = {name: tf.TensorSpec([None], dtype) for name, dtype in dtypes.items()}
    return _trace(sample, **rows)


def _trace(function, **inputs):
    specs = {name: tf.TensorSpec(s.shape, s.dtype, name) for name, s in inputs.items()}
    # No XLA: serving it is experimental.
    return tf.function(function, jit_compile=False).get_concrete_function(**specs)


def _checked(name, values, size):
    """Codes below `size`, or finite vectors if it is None."""
    if size is not None:
        return _in_range(name, values, size)
    return _where(tf.math.is_finite(values), values, f"`{name}` must be finite")


def _in_range(name, values, size):
    """The values, which the graph refuses outside 0..size - 1: a look-up may take any row then."""
    inside = (values >= 0) & (values < size)
    return _where(inside, values, f"`{name}` must be in 0..{size - 1}")


def _where(valid, values, rule):
    """The values, once it is known that all are valid."""
    check = tf.debugging.Assert(tf.reduce_all(valid), [rule, values])
    with tf.control_dependencies([check]):
        return tf.identity(values)
