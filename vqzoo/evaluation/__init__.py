"""What a model is worth, in numbers and pictures; the only place that computes them."""

from vqzoo.evaluation.image_likelihood import fit_scale
