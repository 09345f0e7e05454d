"""Drawing codes from causal networks: noise, filters of logits, the incremental sampler."""

from vqzoo.sampling.options import SamplingOptions
