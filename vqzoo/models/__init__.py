"""Families of models: how parts become an autoencoder."""

from vqzoo.models.vae import VAE
from vqzoo.models.vqvae import VQVAE

FAMILIES = {family.__name__: family for family in (VAE, VQVAE)}
