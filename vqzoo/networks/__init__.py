"""Networks made of layers; importing this package registers them for loading saved models."""

from vqzoo.networks.conditioning_stack import ConditioningStack
from vqzoo.networks.decoder import Decoder
from vqzoo.networks.downsampler import Downsampler
from vqzoo.networks.encoder import Encoder
from vqzoo.networks.gated_pixelcnn import GatedPixelCNN
from vqzoo.networks.pixel_snail import PixelSNAIL
from vqzoo.networks.pixelcnn_plus_plus import PixelCNNPlusPlus
from vqzoo.networks.pixelcnn_plus_plus_pixels import PixelCNNPlusPlusPixels

__all__ = [
    "CAUSAL_NETWORKS",
    "ConditioningStack",
    "Decoder",
    "Downsampler",
    "Encoder",
    "GatedPixelCNN",
    "PixelCNNPlusPlus",
    "PixelCNNPlusPlusPixels",
    "PixelSNAIL",
]

CAUSAL_NETWORKS = {
    "GatedPixelCNN": GatedPixelCNN,
    "PixelCNNPlusPlus": PixelCNNPlusPlus,
    "PixelSNAIL": PixelSNAIL,
}
"""The networks that a config can name for an autoregressive prior, by class name."""
