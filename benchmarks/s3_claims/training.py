"""One run: trains an autoencoder, keeps its curve, measures what became of it."""

import json
import math

import keras
import numpy as np

from benchmarks.claims import RESULT, provenance
from vqzoo import data as datasets
from vqzoo import evaluation, files, models, priors
from vqzoo.evaluation.code_likelihood import prior_log_probs
from vqzoo.evaluation.codebook import codebook_scores
from vqzoo.evaluation.encoding import autoencode_source
from vqzoo.evaluation.image_likelihood import image_scores
from vqzoo.evaluation.reconstruction import reconstruction_scores
from vqzoo.evaluation.uniform_prior_bits import normal_density_scores
from vqzoo.latents import are_codes
from vqzoo.models.autoencoder import scale_pixels
from vqzoo.training.run_folder import RunFolder
from vqzoo.training.stage import fit_stage

CURVE = "curve.json"


def carry_out(run, images, folder):
    """Trains a run in `folder`, going on where it was stopped, and writes `result.json`.

    A loss or a weight that stops being finite ends the training, and is noted.

    Args:
        run: `Run`.
        images: dict of image sources, `train`, `test` and `curve`.
        folder: path of this run alone.

    Raises:
        BlockingIOError: if another process has the folder.
        ValueError: if the folder was started with other settings.
    """
    steps = math.ceil(len(images["train"]) / run.training["batch_size"])
    stage = {**run.training, "seed": run.seed, "steps": run.epochs * steps}
    settings = {"images": {split: len(source) for split, source in images.items()}}
    settings |= {"autoencoder": run.autoencoder, "training": stage, "epochs": run.epochs}
    with RunFolder(folder) as place:
        place.check_config(settings)
        place.write_config(settings)
        model = make_model(run)
        curve, seconds = Curve(place.path / CURVE, images["curve"]), None

        def make_batches(step):
            order = stage["batch_size"], run.seed, stage["steps"], step
            return datasets.training_batches(images["train"], *order, labels=False)

        try:
            name = f"{run.name}, seed {run.seed}"
            notes = fit_stage(
                model, make_batches, stage, place.path / "checkpoints", name, steps, None, [curve]
            )
            ended, seconds = None, notes["seconds"]
        except FloatingPointError as error:
            ended = str(error)
        content = {"name": run.name, "seed": run.seed, "settings": settings, "ended_early": ended}
        content |= {"curve": curve.rows(), "scores": None if ended else final_scores(model, images)}
        content |= {"data": run.data["name"], "wall_seconds": seconds, **provenance()}
        files.write_json(place.path / RESULT, content)


def make_model(run):
    """The autoencoder of a `Run`, untrained; its weights are a function of the run's seed."""
    keras.utils.set_random_seed(run.seed)
    arguments = {"image_shape": run.data["image_shape"], **run.autoencoder}
    return models.FAMILIES[arguments.pop("family")](**arguments)


class Curve(keras.callbacks.Callback):
    """Writes a row an epoch: what `fit` logs, and the model on images that are held out.

    Args:
        path: path of the JSON file, a list of rows; an epoch that is trained again after a kill
            replaces its row.
        source: image source.
    """

    def __init__(self, path, source):
        super().__init__()
        self.path, self.source = path, source

    def rows(self):
        """The rows so far, a list of dicts."""
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else []

    def on_epoch_end(self, epoch, logs=None):
        trained = {f"train_{name}": value for name, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, **trained, **held_out_scores(self.model, self.source)}
        row = {key: float(value) if np.isfinite(value) else None for key, value in row.items()}
        files.write_json(self.path, [*self.rows()[:epoch], row])


def held_out_scores(model, source):
    """How a model does on a source.

    Returns:
        dict: `mse` on pixels in -1..1; with a codebook also its `perplexity` and `usage` over the
        source, and the largest norm of a code, `code_norm`, and of the vectors of the first
        256 images, `vector_norm`.
    """
    encoded = autoencode_source(model, source)
    scores = {"mse": reconstruction_scores(encoded, math.prod(model.image_shape))["mse"]}
    if are_codes(model.codebook_sizes):
        used = codebook_scores(encoded.latents[0], model.codebook_sizes[0])
        few = source.take(np.arange(min(256, len(source))))["image"]
        vectors = model.encoder.predict_on_batch(few)
        scores |= {name: used[name] for name in ("perplexity", "usage")}
        scores |= {"code_norm": largest_norm(model.quantizer.codebook)}
        scores |= {"vector_norm": largest_norm(vectors)}
    return scores


def largest_norm(vectors):
    """Largest Euclidean norm along the last axis, a float."""
    return float(np.linalg.norm(keras.ops.convert_to_numpy(vectors), axis=-1).max())


def final_scores(model, images):
    """What a trained model is worth on all test images, a dict.

    Those of `reconstruction_scores`, `image_scores` and for codes `codebook_scores`, with a prior
    that knows nothing: uniform codes, or the standard normal that a VAE is trained against.
    `legacy` are the figures of `normal_density_scores`, `blank_mse` the error of the mean training
    image.
    """
    if model.fits_scale:
        model.likelihood_scale.assign(evaluation.fit_scale(model, images["train"]))
    encoded, num_values = autoencode_source(model, images["test"]), math.prod(model.image_shape)
    codes = are_codes(model.codebook_sizes)
    prior = priors.create({"family": "UniformPrior" if codes else "StandardNormalPrior"}, model)
    log_probs = prior_log_probs(prior, encoded.draws, None)
    scores = reconstruction_scores(encoded, num_values)
    scores |= image_scores(encoded, log_probs, num_values, model)
    latent_nats = scores["prior_bits_per_dim"] * math.log(2)
    scores["legacy"] = normal_density_scores(scores["mse"], latent_nats)
    if codes:
        scores |= codebook_scores(encoded.latents[0], model.codebook_sizes[0])
    return {**scores, "blank_mse": blank_mse(images["train"], images["test"])}


def blank_mse(train, test):
    """Mean squared error, on pixels in -1..1, of answering with the mean training image."""
    mean = np.mean(scale_pixels(train.take(np.arange(len(train)))["image"]), axis=0)
    errors = (
        np.square(scale_pixels(test.take(rows)["image"]) - mean).mean(axis=(1, 2, 3))
        for rows in np.array_split(np.arange(len(test)), math.ceil(len(test) / 1000))
    )
    return float(np.mean(np.concatenate(list(errors))))
