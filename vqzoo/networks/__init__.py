"""Networks made of layers; importing this package registers them for loading saved models."""

from vqzoo.networks.gated_pixelcnn import GatedPixelCNN

CAUSAL_NETWORKS = {"GatedPixelCNN": GatedPixelCNN}
"""The networks that a config can name for an autoregressive prior, by class name."""
