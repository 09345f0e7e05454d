"""S3's claims about VQ-VAEs, run and judged."""
