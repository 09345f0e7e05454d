"""What a reproduction of VQ-VAE claims, run and judged."""
