"""All numbers of a model, each computed once and here alone."""

import math

from vqzoo.checks import checked_int, checked_seed, shown
from vqzoo.classifier import check_fit, find_classifier
from vqzoo.data.batches import checked_source
from vqzoo.evaluation.code_likelihood import code_scores, prior_log_probs
from vqzoo.evaluation.codebook import codebook_scores
from vqzoo.evaluation.encoding import autoencode_source, encode_source
from vqzoo.evaluation.feature_networks import of_classifier
from vqzoo.evaluation.feature_scores import distance_of_latents, feature_scores
from vqzoo.evaluation.generalisation import generalisation_scores
from vqzoo.evaluation.image_likelihood import image_scores
from vqzoo.evaluation.inception_score import SPLITS
from vqzoo.evaluation.level_ablation import level_scores
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.evaluation.samples import draw_samples, sample_scores
from vqzoo.evaluation.simple_models import draw_markov_maps
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
            with simple models of the codes, with the nearest training map and with the scores of
            training images.
        classifier: `Classifier` of the model's classes that judges the samples; None takes the
            package's own, where it has one for these classes.
        num_samples: int, samples drawn, or 0 to draw none.
        seed: int, of the samples, of the draws of q(z | x) and of the simple models' smoothing.
        networks: list of `FeatureNetwork` in whose eyes samples are compared with test images;
            None takes the classifier, if there is one and both sets have 1,000 images or more.

    Returns:
        dict of dicts of numbers: `size`, `reconstruction`, if there are latents, `codebook` (with `codes_0`, ... for the
        levels), `uniform_prior`, `levels`, `codes`, `images`, `samples` and, with `train`,
        `generalisation`. `codebook`, `uniform_prior` and `codes` are for models with codes,
        `levels` for those with several levels of them; `codes`, `images` and `samples` are left
        out for a model without weights for its prior. Without the images' labels a conditional
        prior is averaged over its classes.

    Raises:
        ValueError: if a source is empty, `classifier` is of other classes or images, or there are
            fewer samples or test images than `networks` can be compared by.
    """
    _check_arguments(model, test, train, classifier, networks)
    checked_int(num_samples, "num_samples", 0)
    checked_seed(seed)
    if networks and num_samples and min(num_samples, len(test)) < SPLITS:
        raise ValueError(
            f"`num_samples` must be {SPLITS} or more, and as many test images, for `networks`. "
            f"Received: {num_samples}, and {len(test)} images"
        )
    autoencoder, sizes = model.autoencoder, list(model.autoencoder.codebook_sizes)
    num_values, sources = math.prod(test[0]["image"].shape), {"test": test, "train": train}
    encoded = {
        "test": autoencode_source(autoencoder, test, "reconstructing test images", seed),
        "train": None,
    }
    scores = {"size": _size(model, len(test))}
    if sizes:
        scores["reconstruction"] = reconstruction_scores(encoded["test"], num_values)
    if are_codes(sizes):
        mse = scores["reconstruction"]["mse"]
        scores |= _codebook_scores(encoded["test"], mse, num_values, sizes)
        if len(sizes) > 1 and len(test) > 1:
            scores["levels"] = level_scores(autoencoder, test, encoded["test"].latents, seed)
    if model.has_prior:
        if are_codes(sizes) and train is not None:
            encoded["train"] = encode_source(autoencoder, train, "encoding training images")
        scores |= _prior_scores(model, encoded, num_values, seed)
        if num_samples:
            scores["samples"] = _judge_samples(
                model, sources, encoded, classifier, networks, num_samples, seed
            )
    if train is not None:
        scores["generalisation"] = generalisation_scores(model, train, scores, seed)
    return scores


def _check_arguments(model, test, train, classifier, networks):
    """Checks everything but the numbers; errors as for `evaluate`."""
    if not hasattr(model, "autoencoder"):
        raise TypeError(f"`model` must be a ZooModel. Received: {shown(model)}")
    checked_source(test, "test")
    if train is not None:
        checked_source(train, "train")
    if classifier is not None and not hasattr(classifier, "predict"):
        raise TypeError(f"`classifier` must be a Classifier. Received: {shown(classifier)}")
    if classifier is not None and model.has_prior and model.prior.num_classes is not None:
        check_fit(classifier, "classifier", model.class_names, model.autoencoder.image_shape)
    listed = isinstance(networks, (list, tuple))
    if networks is None or (listed and all(hasattr(each, "input_shape") for each in networks)):
        return
    raise TypeError(f"`networks` must hold FeatureNetworks. Received: {shown(networks)}")


def _prior_scores(model, encoded, num_values, seed):
    """`codes`, of a model with codes, and `images`; `encoded` are the sources by split."""
    test, sizes, found = encoded["test"], list(model.autoencoder.codebook_sizes), {}
    if are_codes(sizes):
        log_probs, found["codes"] = code_scores(model.prior, test, sizes, encoded["train"], seed)
    else:
        log_probs = prior_log_probs(model.prior, test.draws, test.labels)
    return found | {"images": image_scores(test, log_probs, num_values, model.autoencoder)}


def _judge_samples(model, sources, encoded, classifier, networks, num_samples, seed):
    """`samples`; `sources` and `encoded` are by split, the rest as for `evaluate`."""
    test, classifier = sources["test"], classifier or find_classifier(model.config["data"])
    samples = draw_samples(model, num_samples, seed)
    found = sample_scores(samples, test, encoded["test"], encoded["train"], classifier)
    if networks is None:
        enough = classifier is not None and min(len(test), num_samples) >= FEWEST
        networks = [of_classifier(classifier)] if enough else []
    rivals = None
    if samples.labels is None and encoded["train"] is not None and networks:
        levels = zip(encoded["train"].draws, model.autoencoder.codebook_sizes, strict=True)
        rivals = [draw_markov_maps(*level, num_samples, seed) for level in levels]
    for network in networks:
        found |= feature_scores(
            network, model, samples.images, test, encoded["test"], sources["train"], seed
        )
        if rivals is not None:
            distance = distance_of_latents(network, model, rivals, test, seed)
            found[f"fid_{network.name}_of_markov"] = distance
    return found


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
    levels = zip(encoded.draws, sizes, strict=True)
    shapes = [level.shape[1:] for level in encoded.latents]
    return {
        "codebook": {
            f"codes_{i}": codebook_scores(level, size) for i, (level, size) in enumerate(levels)
        },
        "uniform_prior": uniform_prior_scores(mse, num_values, sizes, shapes),
    }
