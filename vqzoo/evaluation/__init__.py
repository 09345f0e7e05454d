"""What a model is worth, in numbers and pictures; the only place that computes them."""

from vqzoo.classifier import find_classifier, load_classifier
from vqzoo.evaluation.classification_accuracy import cas_scores
from vqzoo.evaluation.evaluate import evaluate
from vqzoo.evaluation.feature_networks import open_network
from vqzoo.evaluation.image_likelihood import fit_scale
from vqzoo.evaluation.iwae import iwae_bound
from vqzoo.evaluation.keep_curve import keep_curve, save_curve
from vqzoo.evaluation.nearest_images import neighbours_picture
from vqzoo.evaluation.pictures import draw_pictures, save_png
