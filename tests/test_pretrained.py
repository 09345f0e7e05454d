"""Every entry with weights keeps the promises of its card."""

import json
import math
import re

import numpy as np
import pytest

import vqzoo
from tests import golden
from vqzoo import evaluation, zoo
from vqzoo import manifest as manifests

NAMES = zoo.list_models(pretrained=True)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name):
    return zoo.describe(name)["folder"]


@pytest.fixture(scope="module")
def model(name):
    return vqzoo.load(name)


@pytest.fixture(scope="module")
def scores(folder):
    return json.loads((folder / "results.json").read_text())["scores"]


def test_there_is_an_entry_with_weights():
    assert "vqvae_fashion_mnist" in NAMES


def test_folder_is_whole_and_small(folder):
    files = {path.name for path in folder.iterdir()}
    assert files >= {"README.md", "results.json", "config.yaml", golden.FILE}
    assert ("samples.png" in files) == (not zoo.is_tokenizer_only(folder.name))
    size = sum(entry["bytes"] for entry in manifests.read(folder)["files"].values())
    assert size <= 10e6, "an entry's weights may take 10 MB"


def test_answers_are_those_of_the_day_of_publication(name, folder):
    with np.load(folder / golden.FILE) as stored:
        for key, latents in golden.answers(name).items():
            # another processor adds in another order: a code may change where two are as near,
            # and after a sampled code that changed, all later ones of that image may; vectors
            # move by the last bits of sums of some thousand terms
            same = np.mean(np.isclose(latents, stored[key], rtol=0, atol=1e-3))
            assert same >= (0.99 if key.startswith("encoded") else 0.8), (key, same)


def test_reconstructions_are_as_good_as_the_card_says(model, folder, scores):
    images = golden.examples(folder)
    errors = (model.reconstruct(images) / 127.5 - images / 127.5) ** 2
    # errors of single test images scatter about as much as their mean, so the mean of ten by a
    # third of it: the bound lies three of these above
    assert errors.mean() < 2 * scores["reconstruction"]["mse"]


def test_an_entry_samples_only_if_its_samples_beat_the_baseline(name, model, scores):
    assert model.has_prior == ("samples" in scores) == (not zoo.is_tokenizer_only(name))
    if not model.has_prior:
        with pytest.raises(ValueError, match="weights for its autoencoder only, since .*vqzoo train"):
            model.sample(1)
    elif model.prior.num_classes:
        assert scores["samples"]["class_agreement"] >= 2.5 / model.prior.num_classes
    elif model.prior.trainable_stage:
        assert scores["codes"]["bits_per_code"] <= 0.85 * scores["codes"]["markov_bits_per_code"]
        samples = scores["samples"]
        rivals = [key.removesuffix("_of_markov") for key in samples if key.endswith("_of_markov")]
        assert any(samples[key] < samples[f"{key}_of_markov"] for key in rivals)


def test_samples_show_the_classes_asked_for(model, scores):
    if not model.has_prior or model.prior.num_classes is None:
        pytest.skip("its samples are of no class")
    classifier = evaluation.find_classifier(model.config["data"])
    labels = np.arange(100, dtype="int32") % len(model.class_names)
    agreement = np.mean(classifier.predict(model.sample(100, labels=labels, seed=1)) == labels)
    card = scores["samples"]["class_agreement"]
    assert agreement > card - 4 * math.sqrt(card * (1 - card) / 100), "four standard errors of 100"


def test_bits_per_dim_are_those_of_the_card(model, folder, scores):
    if not model.has_prior:
        pytest.skip("there are none without a prior")
    labels = golden.labels(folder) if model.prior.num_classes else None
    bits, kind = model.bits_per_dim(golden.examples(folder), labels=labels)
    assert kind == scores["images"]["kind"]
    # single test images scatter by 0.9 bits, so the mean of ten by 0.3: the bound is three of these
    assert abs(bits.mean() - scores["images"]["bits_per_dim"]) < 1


def test_card_quotes_results(folder, scores):
    card = (folder / "README.md").read_text()
    quoted = [f"{scores['reconstruction']['mse']:.5f}"]
    if "images" in scores:
        quoted.append(f"{scores['images']['bits_per_dim']:.3f}")
    if "codes" in scores:
        quoted.append(f"{scores['codes']['bits_per_code']:.3f}")
    if "class_agreement" in scores.get("samples", {}):
        quoted.append(f"{scores['samples']['class_agreement']:.2%}".replace("%", " %"))
    missing = [number for number in quoted if not re.search(re.escape(number), card)]
    assert not missing, f"the card does not have {missing}"
