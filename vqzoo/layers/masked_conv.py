"""Masked convolution: an autoregressive image model must not see the pixels it predicts."""

import keras
import numpy as np

from vqzoo.checks import checked_choice, checked_int, checked_sizes


@keras.saving.register_keras_serializable(package="vqzoo")
class MaskedConv2D(keras.layers.Conv2D):
    """2D convolution over the pixels before the current one in raster order.

    Section 3.4 of [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759). Maps
    `(batch, height, width, channels)` to `(batch, height, width, filters)` in the compute dtype.
    Stacked layers have a blind spot to the right; `GatedMaskedConv` has none.

    Args:
        filters: int, number of output channels.
        kernel_size: odd int or pair of odd ints, height and width in pixels.
        mask_type: `"A"` hides the current pixel too (first layer), `"B"` shows it.
        **kwargs: as for `keras.layers.Conv2D`, but for `padding`, which is always `"same"`.

    Raises:
        ValueError: if an entry of `kernel_size` is even or `mask_type` is not "A" or "B".
    """

    def __init__(self, filters, kernel_size, mask_type="B", **kwargs):
        checked_int(filters, "filters")
        pair = [kernel_size] * 2 if isinstance(kernel_size, int) else kernel_size
        pair = checked_sizes(pair, "kernel_size", "an odd int or a pair of them", 2)
        if any(size % 2 == 0 for size in pair):
            raise ValueError(f"`kernel_size` must be odd, such as 3. Received: {kernel_size=}")
        checked_choice(mask_type, "mask_type", ("A", "B"))
        super().__init__(filters, pair, padding="same", **kwargs)
        self.mask_type = mask_type

    def convolution_op(self, inputs, kernel):
        """Convolves with the kernel's visible part; the mask holds whatever the weights are."""
        # Masked in every pass and not once: an optimizer would fill zeros that only started so.
        order = np.arange(np.prod(self.kernel_size)).reshape(*self.kernel_size, 1, 1)
        visible = order < order.size // 2 + (self.mask_type == "B")
        return super().convolution_op(inputs, kernel * keras.ops.cast(visible, kernel.dtype))

    def get_config(self):
        """Constructor arguments; `padding` is not one of them."""
        config = {**super().get_config(), "mask_type": self.mask_type}
        del config["padding"]
        return config
