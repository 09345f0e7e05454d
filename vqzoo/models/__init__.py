"""Families of models: how parts become an autoencoder."""

from vqzoo.models.discrete_vae import DiscreteVAE
from vqzoo.models.pixel_model import PixelModel
from vqzoo.models.vae import VAE
from vqzoo.models.vqvae import VQVAE
from vqzoo.models.vqvae2 import VQVAE2

FAMILIES = {family.__name__: family for family in (DiscreteVAE, PixelModel, VAE, VQVAE, VQVAE2)}
