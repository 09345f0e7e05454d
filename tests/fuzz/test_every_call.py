"""Wrong arguments of every public call: an error that names the argument, and no other kind."""

import inspect

import hypothesis
import pytest
from hypothesis import strategies as st
from tests.fuzz import data_cases, part_cases, zoo_cases

import vqzoo
from vqzoo import config as configs
from vqzoo import data, layers, likelihoods, models, networks, priors
from vqzoo.export import signatures
from vqzoo.training import recipe

QUICK, THOROUGH = 10, 300
"""Examples of a call in every run of the suite, and under the slow marker."""

COSTLY = {"vqzoo.create", "vqzoo.load", "vqzoo.train", "ZooModel.export", "ZooModel.save"}
COSTLY |= {"networks.GatedPixelCNN", "networks.PixelCNNPlusPlus", "networks.PixelSNAIL"}
COSTLY |= {"networks.PixelCNNPlusPlusPixels", "evaluation.evaluate"}
COSTLY |= {"models.DiscreteVAE", "models.PixelModel", "models.VAE", "models.VQVAE", "models.VQVAE2"}
"""Calls of a tenth of a second and more, which get a third of the examples."""

EXEMPT = {
    "ZooModel.joint_training": "an attribute, made when it is first asked for",
    "layers.AnnealTemperature.call": "a callback, which `fit` calls",
    "layers.DistanceLogits.call": "called by its layer, with what that has checked",
    "layers.ExponentialTemperature.call": "called with a share of training that is done",
    "layers.FeatureLogits.call": "likewise",
    "layers.MaskedConv2D.call": "a convolution of Keras, which checks its inputs itself",
    "layers.ShiftedConv2D.call": "likewise",
    "networks.ConditioningStack.call": "a graph of Keras, likewise",
    "networks.Decoder.call": "a graph of Keras, likewise",
    "networks.Downsampler.call": "a graph of Keras, likewise",
    "networks.Encoder.call": "a graph of Keras, likewise",
    "data.ImageSource": "a contract for subclasses",
    "data.ImageSource.describe": "of an index that was checked",
    "data.ImageSource.read": "the part that they fill in",
    "data.ImageSource.take": "tested as that of ArraySource",
    "data.ArraySource.read": "reached by source[index], which checks",
}

GROUPS = {
    "layers": lambda world: part_cases.layer_cases(),
    "networks": lambda world: part_cases.network_cases(),
    "likelihoods": lambda world: part_cases.likelihood_cases(),
    "sampling": lambda world: part_cases.sampling_cases(),
    "data": lambda world: data_cases.data_cases(world.folder),
    "config": lambda world: data_cases.config_cases(configs.load_config(world.yaml), world.yaml),
    "vqzoo": lambda world: zoo_cases.registry_cases(world.yaml, world.saved, world.folder),
    "ZooModel": lambda world: zoo_cases.model_cases(world.model),
    "priors": lambda world: zoo_cases.prior_cases(world.model),
    "models": lambda world: zoo_cases.family_cases(),
    "evaluation": lambda world: zoo_cases.evaluation_cases(world.model),
}


class World:
    """What the cases are made of: a tiny model of its own, its files, a folder to work in."""

    def __init__(self, yaml, saved, folder):
        self.yaml, self.saved, self.folder = yaml, saved, folder
        self.model = vqzoo.load(saved)


@pytest.fixture
def world(tiny_yaml, tiny_folder, tmp_path, monkeypatch):
    """A `World` in which nothing is trained or traced, and files fall into `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipe.Recipe, "run", lambda self, tokenizer_only: None)
    monkeypatch.setattr(recipe, "judge", lambda *arguments: None)
    monkeypatch.setattr(signatures, "signatures_of", lambda model: {})
    return World(tiny_yaml, tiny_folder, tmp_path)


def check(name, case, examples):
    """Runs `case.check` on so many examples, the same in every run."""
    settings = hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    @settings
    @hypothesis.given(st.data())
    def run(data):
        case.check(data)

    try:
        run()
    except BaseException as error:
        error.add_note(f"while {name} was called")
        raise


@pytest.mark.parametrize("group", GROUPS)
def test_wrong_arguments_are_named(world, group):
    for name, case in GROUPS[group](world).items():
        check(name, case, QUICK // 3 if name in COSTLY else QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_wrong_arguments_are_named_whatever_they_are(world, group):
    for name, case in GROUPS[group](world).items():
        check(name, case, THOROUGH // 10 if name in COSTLY else THOROUGH)


def public_calls():
    """Names of all that a user may call."""
    found = {f"vqzoo.{name}" for name in vqzoo.__all__ if name != "ZooModel"}
    found |= {f"ZooModel.{name}" for name in own_methods(vqzoo.ZooModel)}
    for module in (layers, networks, data):
        for name in module.__all__:
            found |= names_of(module, name)
    for family in [
        likelihoods.Bernoulli,
        likelihoods.Categorical,
        likelihoods.DiscretizedLogistic,
        likelihoods.DiscretizedLogisticMixture,
        likelihoods.DequantizedNormal,
        likelihoods.DiscretizedNormal,
    ]:
        found |= names_of(likelihoods, family.__name__)
    for part, module in ((priors, "priors"), (models, "models")):
        found |= {f"{module}.{name}" for name in part.FAMILIES}
    found |= {"evaluation.evaluate", "evaluation.iwae_bound"}
    return found | {"sampling.SamplingOptions", "config.load_config"}


def names_of(module, name):
    """A class, its call and its own methods; a function; nothing for a constant."""
    thing, prefix = getattr(module, name), f"{module.__name__.removeprefix('vqzoo.')}.{name}"
    if not callable(thing):
        return set()
    if not inspect.isclass(thing) or module in (layers, networks):
        return {prefix} | ({f"{prefix}.call"} if inspect.isclass(thing) else set())
    return {prefix} | {f"{prefix}.{method}" for method in own_methods(thing)}


def own_methods(kind):
    """Names of the public functions that a class itself defines, without what Keras calls."""
    functions = (name for name, value in vars(kind).items() if inspect.isroutine(value))
    return {name for name in functions if not name.startswith("_") and "config" not in name}


def test_every_public_call_is_listed(world):
    listed = {name for group in GROUPS.values() for name in group(world)}
    assert public_calls() - listed - set(EXEMPT) == set()
    assert set(EXEMPT) <= public_calls(), "an exemption of what is not there"
