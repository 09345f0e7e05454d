"""What VQ-VAE-2 claims, run and judged."""
