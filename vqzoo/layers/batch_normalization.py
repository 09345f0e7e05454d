"""Batch normalisation with the settings of the VQ-VAE reproduction."""

import keras


def batch_normalization(name, dtype=None):
    """A `keras.layers.BatchNormalization` whose statistics are those of the global batch.

    [Batch Normalization](https://arxiv.org/abs/1502.03167) with a tenth of each new batch in the
    moving statistics and 1e-5 added to variances, as in the released code of Kumar, Deleu and
    Racah, Reproducing Neural Discrete Representation Learning (2019). Only training moves them.

    Args:
        name: str.
        dtype: dtype policy, Keras' global one if None.
    """
    # On JAX arrays are global and so are their moments; Keras refuses the argument there.
    synchronized = keras.backend.backend() == "tensorflow"
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, synchronized=synchronized, dtype=dtype, name=name
    )
