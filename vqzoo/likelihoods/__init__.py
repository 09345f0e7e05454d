"""p(x | z): log-probabilities of integer images."""

from vqzoo.likelihoods.discretized_normal import DiscretizedNormal
