"""All numbers of a model, each computed once and here alone."""

import math

from vqzoo.checks import checked_int, checked_seed, shown
from vqzoo.data.batches import checked_source
from vqzoo.classifier import find_classifier
from vqzoo.evaluation.code_likelihood import code_scores, prior_log_probs
from vqzoo.evaluation.codebook import codebook_scores
from vqzoo.evaluation.encoding import autoencode_source, encode_source
from vqzoo.evaluation.feature_networks import of_classifier
from vqzoo.evaluation.feature_scores import feature_scores
from vqzoo.evaluation.image_likelihood import image_scores
from vqzoo.evaluation.level_ablation import level_scores
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.evaluation.samples import draw_samples, sample_scores
from vqzoo.evaluation.uniform_prior_bits import uniform_prior_scores
from vqzoo.latents import are_codes


FEWEST = 1000
"""Images below which distances between sets say more of their number than of the model."""


def evaluate(model, test, train=None, classifier=None, num_samples=2000, seed=0, networks=None):
    """The scores of a model on a test set; `docs/numbers.md` defines each.

    Progress is shown on stderr where a part takes longer than a few seconds.

    Args:
        model: `ZooModel` with weights.
        test: `vqzoo.data.ImageSource`, real images that the model was not trained on.
        train: `ImageSource` that it was trained on, or None: without it there is no comparison
            with simple models of the codes and none with the nearest training map.
        classifier: `Classifier` of the model's classes that judges the samples; None takes the
            package's own, where it has one for these classes.
        num_samples: int, samples drawn, or 0 to draw none.
        seed: int, of the samples, of the draws of q(z | x) and of the simple models' smoothing.
        networks: list of `FeatureNetwork` in whose eyes samples are compared with test images;
            None takes the classifier, if there is one and both sets have 1,000 images or more.

    Returns:
        dict of dicts of numbers: `size`, `reconstruction`, `codebook` (with `codes_0`, ... for the
        levels), `uniform_prior`, `levels`, `codes`, `images` and `samples`. `codebook`,
        `uniform_prior` and `codes` are for models with codes, `levels` for those with several
        levels of them; `codes`, `images` and `samples` are left out for a model without weights
        for its prior. Without the images' labels a conditional prior is averaged over its classes.

    Raises:
        ValueError: if a source is empty.
    """
    if not hasattr(model, "autoencoder"):
        raise TypeError(f"`model` must be a ZooModel. Received: {shown(model)}")
    checked_source(test, "test")
    if train is not None:
        checked_source(train, "train")
    if classifier is not None and not hasattr(classifier, "predict"):
        raise TypeError(f"`classifier` must be a Classifier. Received: {shown(classifier)}")
    _check_networks(networks)
    checked_int(num_samples, "num_samples", 0)
    checked_seed(seed)
    autoencoder, trained = model.autoencoder, None
    num_values, sizes = math.prod(test[0]["image"].shape), list(autoencoder.codebook_sizes)
    encoded = autoencode_source(autoencoder, test, "reconstructing test images", seed)
    scores = {
        "size": _size(model, len(test)),
        "reconstruction": reconstruction_scores(encoded, num_values),
    }
    if are_codes(sizes):
        scores |= _codebook_scores(encoded, scores["reconstruction"]["mse"], num_values, sizes)
        if len(sizes) > 1 and len(test) > 1:
            scores["levels"] = level_scores(autoencoder, test, encoded.latents, seed)
    if not model.has_prior:
        return scores
    if are_codes(sizes):
        if train is not None:
            trained = encode_source(autoencoder, train, "encoding training images")
        log_probs, scores["codes"] = code_scores(model.prior, encoded, sizes, trained, seed)
    else:
        log_probs = prior_log_probs(model.prior, encoded.draws, encoded.labels)
    scores["images"] = image_scores(encoded, log_probs, num_values, autoencoder)
    if num_samples:
        classifier = classifier or find_classifier(model.config["data"])
        samples = draw_samples(model, num_samples, seed)
        scores["samples"] = sample_scores(samples, test, encoded, trained, classifier)
        enough = classifier is not None and min(len(test), num_samples) >= FEWEST
        usual = [of_classifier(classifier)] if networks is None and enough else []
        for network in networks or usual:
            scores["samples"] |= feature_scores(
                network, model, samples.images, test, encoded, train, seed
            )
    return scores


def _check_networks(networks):
    listed = isinstance(networks, (list, tuple))
    if networks is None or (listed and all(hasattr(each, "input_shape") for each in networks)):
        return
    raise TypeError(f"`networks` must hold FeatureNetworks. Received: {shown(networks)}")


def _size(model, num_test_images):
    autoencoder = model.autoencoder
    levels = zip(autoencoder.latent_shapes, autoencoder.codebook_sizes, strict=True)
    if are_codes(autoencoder.codebook_sizes):
        bits = sum(math.prod(shape) * math.log2(size) for shape, size in levels)
        latents = {"code_bits_per_image": bits}
    else:
        latents = {"latent_numbers_per_image": sum(math.prod(shape) for shape, _ in levels)}
    return {
        "autoencoder_parameters": autoencoder.count_params(),
        "prior_parameters": model.prior.count_params() if model.prior.trainable_stage else 0,
        **latents,
        "test_images": num_test_images,
    }


def _codebook_scores(encoded, mse, num_values, sizes):
    levels = zip(encoded.latents, sizes, strict=True)
    shapes = [level.shape[1:] for level in encoded.latents]
    return {
        "codebook": {
            f"codes_{i}": codebook_scores(level, size) for i, (level, size) in enumerate(levels)
        },
        "uniform_prior": uniform_prior_scores(mse, num_values, sizes, shapes),
    }
