"""Residual block of the VQ-VAE encoders and decoders."""

import keras

from vqzoo.checks import checked_bool, checked_int
from vqzoo.layers.batch_normalization import batch_normalization
from vqzoo.layers.map_checks import check_map, check_map_shape


@keras.saving.register_keras_serializable(package="vqzoo")
class ResidualBlock(keras.layers.Layer):
    """Two convolutions beside the identity: `x + conv1x1(relu(conv3x3(relu(x))))`.

    Section 4.1 of [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937);
    adds to `x` itself and not to `relu(x)`. Maps `(batch, height, width, filters)` to the same
    shape.

    Args:
        filters: int, channels of input and output.
        residual_filters: int, channels between the two convolutions.
        batch_norm: bool, whether each convolution is followed by batch normalisation.
        **kwargs: `name`, `dtype`, `trainable`, as for every `keras.layers.Layer`.

    Raises:
        ValueError: when built on inputs whose number of channels is not `filters`.
    """

    def __init__(self, filters, residual_filters, batch_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        self.residual_filters = checked_int(residual_filters, "residual_filters")
        self.batch_norm = checked_bool(batch_norm, "batch_norm")
        self.spatial = keras.layers.Conv2D(
            residual_filters, 3, padding="same", dtype=self.dtype_policy, name="spatial"
        )
        self.pointwise = keras.layers.Conv2D(filters, 1, dtype=self.dtype_policy, name="pointwise")
        if batch_norm:
            self.spatial_norm = batch_normalization("spatial_norm", self.dtype_policy)
            self.pointwise_norm = batch_normalization("pointwise_norm", self.dtype_policy)

    def build(self, input_shape):
        check_map_shape(input_shape, self.filters, "inputs")
        self.spatial.build(input_shape)
        hidden_shape = (*input_shape[:-1], self.residual_filters)
        self.pointwise.build(hidden_shape)
        if self.batch_norm:
            self.spatial_norm.build(hidden_shape)
            self.pointwise_norm.build(input_shape)

    def call(self, inputs, training=False):
        check_map(inputs, self.filters, "inputs")
        hidden = self.spatial(keras.ops.relu(inputs))
        if self.batch_norm:
            hidden = self.spatial_norm(hidden, training=training)
        change = self.pointwise(keras.ops.relu(hidden))
        if self.batch_norm:
            change = self.pointwise_norm(change, training=training)
        return inputs + change

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        sizes = {"filters": self.filters, "residual_filters": self.residual_filters}
        return {**super().get_config(), **sizes, "batch_norm": self.batch_norm}
