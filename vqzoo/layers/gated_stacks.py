"""What all layers on a vertical and a horizontal stack share: the conditions of their gates."""

import keras
from keras import ops

from vqzoo.checks import checked_int, checked_number, shown
from vqzoo.layers.map_checks import check_map


def checked_share(value, argument):
    """The share that a dropout drops, in [0, 1), or a ValueError naming `argument`."""
    return checked_number(value, argument, "in [0, 1)", lambda share: 0 <= share < 1)


class GatedStacks(keras.layers.Layer):
    """Base of the layers on a pair (vertical, horizontal) of `(batch, height, width, channels)`.

    Section 2.2 of arXiv:1606.05328: the vertical stack sees the rows above, the horizontal one also
    the pixels to the left in the row; where the second hears the first there is no blind spot.

    Args:
        filters: int, channels of each output; its gates have two halves of so many.
        num_classes: int or `None`; a number gives each class a vector that is added to both gates.
        condition_channels: int or `None`, channels of a feature map that is added to both gates.
        dropout: float in [0, 1).
    """

    def __init__(
        self, filters, num_classes=None, condition_channels=None, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = checked_int(filters, "filters")
        if num_classes is not None:
            checked_int(num_classes, "num_classes")
        if condition_channels is not None:
            checked_int(condition_channels, "condition_channels")
        self.num_classes, self.condition_channels = num_classes, condition_channels
        self.dropout = checked_share(dropout, "dropout")
        # A sublayer does not inherit the policy of the layer that owns it.
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def _make_weight(self, name, shape, start="glorot_uniform"):
        setattr(self, name, self.add_weight(shape, start, name=name))

    def _make_features_kernel(self):
        if self.condition_channels:
            self._make_weight("features_kernel", (self.condition_channels, 2 * self.filters))

    def _make_class_vectors(self):
        if self.num_classes:
            start = keras.initializers.RandomNormal(stddev=0.05)
            self._make_weight("class_vectors", (self.num_classes, 2 * self.filters), start)

    def condition(self, labels, features):
        """Added to both gates: `(batch, 1 or height, 1 or width, 2 * filters)`, or `None`."""
        for value, wanted, name in (
            (labels, self.num_classes, "labels"),
            (features, self.condition_channels, "features"),
        ):
            if (value is None) != (not wanted):
                state = "must be given" if wanted else "must be None"
                raise ValueError(f"`{name}` {state} for this layer. Received: {value}")
        added = None
        if self.num_classes:
            labels = ops.convert_to_tensor(labels)
            if len(labels.shape) != 1 or not keras.backend.is_int_dtype(labels.dtype):
                raise ValueError(f"`labels` must be ints (batch,). Received: {shown(labels)}")
            added = ops.take(self.class_vectors, labels, axis=0)[:, None, None, :]
        if self.condition_channels:
            check_map(features, self.condition_channels, "features")
            spatial = ops.matmul(ops.cast(features, self.compute_dtype), self.features_kernel)
            added = spatial if added is None else added + spatial
        return added

    def compute_output_shape(self, stacks_shape, labels_shape=None, features_shape=None):
        """Pair of the shapes of the outputs."""
        return tuple((*shape[:-1], self.filters) for shape in stacks_shape)

    def get_config(self):
        """Constructor arguments that all such layers have."""
        arguments = ("filters", "num_classes", "condition_channels", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


def channels_of(stacks_shape):
    """The number of channels; `stacks_shape` is the pair of shapes, or that of one stack."""
    return stacks_shape[-1] if isinstance(stacks_shape[-1], int) else stacks_shape[0][-1]
