"""What a critic buys and what it costs: quality and variety of samples against the share kept."""

import numpy as np

from vqzoo.classifier import checked_critic
from vqzoo.data import ArraySource
from vqzoo.evaluation.feature_networks import of_classifier
from vqzoo.evaluation.feature_scores import collect_source, compare
from vqzoo.files import whole_file

KEEPS = (1.0, 0.8, 0.5, 0.2, 0.1)
"""Shares of the drawn samples that are kept, one point of a curve each."""


def keep_curve(model, test, critic, judge, num_samples=2000, seed=0):
    """Scores of samples that a critic has chosen, at several shares.

    Section 5.3.1 of arXiv:1906.00446. Whoever chooses must not judge: a critic likes what it has
    chosen. Every share has as many samples, so that their distances compare.

    Args:
        model: `ZooModel` with a conditional prior.
        test: `vqzoo.data.ImageSource`, the real images that are the reference.
        critic: `Classifier` that chooses, or the name or folder of one.
        judge: `Classifier` that sees labels and supplies the features.
        num_samples: int, samples of each share; the classes are asked for in turn.
        seed: int, of the samples.

    Returns:
        list of dicts, one for each share from 1 down to 0.1: `keep`, `num_samples`,
        `class_agreement`, the share in which the judge sees the label asked for, and the scores of
        `vqzoo.evaluation.feature_scores.compare` in the eyes of the judge.

    Raises:
        ValueError: if critic and judge are one, or not of the model's classes.
    """
    known = model.class_names, model.prior.num_classes, model.autoencoder.image_shape
    critic, judge = checked_critic(critic, *known), checked_critic(judge, *known)
    if _same_weights(critic, judge):
        raise ValueError("`critic` must be another network than `judge`. Received: one twice")
    network = of_classifier(judge)
    reference = collect_source(network, test, seed)
    labels, points = np.arange(num_samples) % model.prior.num_classes, []
    for keep in KEEPS:
        images = model.sample(num_samples, labels.tolist(), seed, critic=critic, keep=keep)
        samples = collect_source(network, ArraySource(images), seed)
        agreement = float(np.mean(judge.predict(images) == labels))
        point = {"keep": keep, "num_samples": num_samples, "class_agreement": agreement}
        points.append(point | compare(network.name, samples, reference, seed))
    return points


def _same_weights(first, second):
    one, other = first.network.get_weights(), second.network.get_weights()
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def save_curve(path, points):
    """Writes a PNG file with the scores of a `keep_curve` against the share kept."""
    from matplotlib.figure import Figure  # without pyplot there is no window and no global state

    (fid,) = (key for key in points[0] if key.startswith("fid_"))
    network = fid.removeprefix("fid_")
    keeps = [point["keep"] for point in points]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    shares, distance = figure.subplots(1, 2)
    for key in ("class_agreement", f"precision_{network}", f"recall_{network}"):
        label = key.removesuffix(f"_{network}").replace("_", " ")
        shares.plot(keeps, [point[key] for point in points], marker="o", label=label)
    distance.plot(keeps, [point[fid] for point in points], marker="o", color="black")
    shares.set(ylabel="share")
    shares.legend()
    distance.set(ylabel="Frechet distance", ylim=(0, None))
    for axes in (shares, distance):
        axes.set(xscale="log", xlabel="share of samples kept", xticks=keeps)
        axes.set_xticks([], minor=True)
        axes.set_xticklabels([f"{keep:g}" for keep in keeps])
        axes.invert_xaxis()
    figure.suptitle(f"judged by {network}", fontsize="medium")
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
