"""Keras layers; importing them registers their classes for `keras.models.load_model`."""

from vqzoo.layers.causal_attention_block import CausalAttentionBlock
from vqzoo.layers.causal_residual_block import CausalResidualBlock
from vqzoo.layers.causal_self_attention import CausalSelfAttention
from vqzoo.layers.gated_conv_block import GatedConvBlock
from vqzoo.layers.gated_masked_conv import GatedMaskedConv
from vqzoo.layers.gaussian_bottleneck import GaussianBottleneck
from vqzoo.layers.gumbel_softmax_latent import GumbelSoftmaxLatent
from vqzoo.layers.latent_logits import DistanceLogits, FeatureLogits
from vqzoo.layers.masked_conv import MaskedConv2D
from vqzoo.layers.residual_block import ResidualBlock
from vqzoo.layers.shifted_conv import ShiftedConv2D
from vqzoo.layers.shifted_residual_block import ShiftedResidualBlock
from vqzoo.layers.temperature import AnnealTemperature, ExponentialTemperature
from vqzoo.layers.vector_quantizer import VectorQuantizer
from vqzoo.layers.vector_quantizer_ema import VectorQuantizerEMA

__all__ = [
    "AnnealTemperature",
    "CausalAttentionBlock",
    "CausalResidualBlock",
    "CausalSelfAttention",
    "DistanceLogits",
    "ExponentialTemperature",
    "FeatureLogits",
    "GatedConvBlock",
    "GatedMaskedConv",
    "GaussianBottleneck",
    "GumbelSoftmaxLatent",
    "MaskedConv2D",
    "ResidualBlock",
    "ShiftedConv2D",
    "ShiftedResidualBlock",
    "VectorQuantizer",
    "VectorQuantizerEMA",
]
