"""Keras layers; importing them registers their classes for `keras.models.load_model`."""

from vqzoo.layers.gated_conv_block import GatedConvBlock
from vqzoo.layers.gated_masked_conv import GatedMaskedConv
from vqzoo.layers.gaussian_bottleneck import GaussianBottleneck
from vqzoo.layers.masked_conv import MaskedConv2D
from vqzoo.layers.residual_block import ResidualBlock
from vqzoo.layers.vector_quantizer import VectorQuantizer
from vqzoo.layers.vector_quantizer_ema import VectorQuantizerEMA

__all__ = [
    "GatedConvBlock",
    "GatedMaskedConv",
    "GaussianBottleneck",
    "MaskedConv2D",
    "ResidualBlock",
    "VectorQuantizer",
    "VectorQuantizerEMA",
]
