"""Keras layers; importing them registers their classes for `keras.models.load_model`."""

from vqzoo.layers.nearest_code import nearest_code
from vqzoo.layers.vector_quantizer import VectorQuantizer
from vqzoo.layers.vector_quantizer_ema import VectorQuantizerEMA

__all__ = ["VectorQuantizer", "VectorQuantizerEMA", "nearest_code"]
