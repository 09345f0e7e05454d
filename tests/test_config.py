import copy

import pytest

from tests.models import tiny_lab
from vqzoo import config as configs


@pytest.fixture
def config(tiny_yaml):
    return configs.load_config(tiny_yaml)


@pytest.mark.parametrize("name", configs.names())
def test_every_entry_passes_its_own_check(name):
    assert configs.load_config(name)["autoencoder"]["family"]


@pytest.mark.parametrize(
    ("overrides", "key", "nearest"),
    [
        ({"trainin": {}}, "`trainin`", "training"),
        ({"data": {"class_name": ["a"]}}, "`data.class_name`", "class_names"),
        ({"training": {"prior": {"learning": 1.0}}}, "`training.prior.learning`", "learning_rate"),
        ({"autoencoder": {"num_embedings": 3}}, "`autoencoder.num_embedings`", "num_embeddings"),
        ({"prior": {"networks": {}}}, "`prior.networks`", "network"),
        ({"prior": {"network": {"layers": 3}}}, "`prior.network.layers`", "num_layers"),
        ({"smoke": {"autoencoder": {"filtres": 3}}}, "`autoencoder.filtres`", "filters"),
    ],
)
def test_unknown_keys_name_the_nearest(config, overrides, key, nearest):
    with pytest.raises(ValueError, match="did you mean") as caught:
        configs.check(configs.merge(config, overrides))
    assert key in str(caught.value) and f"did you mean {nearest!r}?" in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"autoencoder": {"filters": "8"}}, "`autoencoder.filters` must be of type int"),
        ({"autoencoder": {"filters": True}}, "`autoencoder.filters` must be of type int"),
        ({"autoencoder": {"filters": 8.0}}, "`autoencoder.filters` must be of type int"),
        ({"training": {"prior": {"learning_rate": "2e-4"}}}, "write 2.0e-4"),
        ({"training": {"prior": {"steps": 1.5}}}, "`training.prior.steps` must be of type int"),
        ({"data": {"flip": 1}}, "`data.flip` must be of type bool"),
        ({"prior": {"network": "GatedPixelCNN"}}, "`prior.network` must be of type dict"),
        ({"autoencoder": {"family": "VQGAN"}}, "`autoencoder.family` must be one of"),
        ({"autoencoder": 3}, "`autoencoder` must be of type dict"),
        ({"data": {"image_shape": [8, 8]}}, "`data.image_shape` must be height, width and"),
        ({"start_from": {"manifest": "0"}}, "needs `start_from.name`"),
        ({"data": {"class_names": ["a", "a"]}}, "`data.class_names` must be distinct"),
    ],
)
def test_wrong_values_say_what_would_be_right(config, overrides, message):
    with pytest.raises(ValueError, match="Received") as caught:
        configs.check(configs.merge(config, overrides))
    assert message in str(caught.value)


STACK = {"filters": 4, "num_blocks": 1}
NETWORK = {"family": "GatedPixelCNN", "filters": 4}
STAGE = {"learning_rate": 1.0e-3, "batch_size": 4, "steps": 2, "seed": 1}


@pytest.fixture
def levels(config):
    """A configuration of two levels, each with a stage of its own."""
    prior = {"family": "HierarchicalPrior", "levels": []}
    prior["levels"] = [{"network": dict(NETWORK)}, {"network": dict(NETWORK), "conditioning": STACK}]
    stages = [STAGE, STAGE | {"seed": 2}]
    return configs.merge(config, {"prior": prior, "training": {"prior": stages}})


def test_a_prior_of_levels_has_a_stage_for_each(levels, config):
    configs.check(levels)
    assert configs.stages(levels) == {
        "autoencoder": levels["training"]["autoencoder"],
        "prior_0": STAGE,
        "prior_1": STAGE | {"seed": 2},
    }
    assert configs.stages(config) == config["training"]
    configs.check(configs.merge(levels, {"prior": {"family": "UniformPrior"}}))


@pytest.mark.parametrize(
    ("prior", "training", "message"),
    [
        ({}, [STAGE], "`training.prior` must be a list of 2 stages, one for each of"),
        ({}, [STAGE] * 3, "coarse to fine. Received: a list of 3"),
        ({}, STAGE, "coarse to fine. Received: a single mapping"),
        ({}, [STAGE, 3], "`training.prior[1]` must be of type dict"),
        ({}, [STAGE, {"seed": 3}], "needs `training.prior[1].learning_rate`"),
        ({}, [STAGE, STAGE | {"step": 3}], "`training.prior[1].step`"),
        ({}, [STAGE, STAGE | {"steps": 0}], "`training.prior[1].steps` must be an int, 1 or more"),
        ({"levels": 3}, [STAGE], "`prior.levels` must be of type list"),
        ({"levels": [3, 4]}, [STAGE] * 2, "`prior.levels[0]` must be of type dict"),
        ({"levels": [{}]}, [STAGE], "needs `prior.levels[0].network`"),
        ({"levels": [{"network": {}}]}, [STAGE], "`prior.levels[0].network.family` must be one of"),
        (
            {"levels": [{"network": NETWORK | {"filtres": 3}}]},
            [STAGE],
            "`prior.levels[0].network.filtres` is no argument of GatedPixelCNN; did you mean",
        ),
        (
            {"levels": [{"network": NETWORK, "conditioning": {"blocks": 3}}]},
            [STAGE],
            "`prior.levels[0].conditioning.blocks` is no argument of ConditioningStack; did you",
        ),
        ({"family": "UniformPrior", "levels": []}, STAGE, "`prior.levels` is no argument of Uni"),
        ({"family": "HierarchicalPrior"}, STAGE, "needs `prior.levels` for a HierarchicalPrior"),
        (
            {"family": "AutoregressivePrior", "network": NETWORK},
            [STAGE],
            "`training.prior` must be a single mapping for a prior without `levels`. Received: a",
        ),
    ],
)
def test_wrong_levels_are_named(levels, prior, training, message):
    prior = prior if "family" in prior else levels["prior"] | prior
    wrong = levels | {"prior": prior, "training": levels["training"] | {"prior": training}}
    with pytest.raises(ValueError) as caught:
        configs.check(wrong | {"smoke": {}})
    assert message in str(caught.value) and "Received: " in str(caught.value)


def test_a_whole_number_will_do_for_a_float(config):
    configs.check(configs.merge(config, {"autoencoder": {"commitment_cost": 1}}))


@pytest.mark.parametrize(
    "path", ["data", "data.image_shape", "training.prior", "training.prior.seed"]
)
def test_missing_keys_are_named(config, path):
    *parents, key = path.split(".")
    mapping = config
    for parent in parents:
        mapping = mapping[parent]
    del mapping[key]
    with pytest.raises(ValueError, match=f"needs `{path}`"):
        configs.check(config)


def test_merge_is_deep_and_leaves_its_arguments_alone():
    config = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
    before = copy.deepcopy(config)
    merged = configs.merge(config, {"a": {"c": {"d": 3}}, "e": [2, 3]})
    assert merged == {"a": {"b": 1, "c": {"d": 3}}, "e": [2, 3]}
    merged["a"]["c"]["d"] = 4
    assert config == before


def test_another_family_takes_none_of_the_old_one_s_arguments(config):
    merged = configs.merge(config, {"prior": {"family": "UniformPrior"}})
    assert merged["prior"] == {"family": "UniformPrior"}
    configs.check(merged | {"smoke": {}})


def test_yaml_round_trip(config):
    assert configs.parse(configs.dump(config)) == config


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['exit 1']", "a: [", "- 1\n- 2\n", "", "\tb: 1"]
)
def test_text_that_is_no_configuration(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="bad.yaml"):
        configs.load_config(path)


def test_unknown_names_and_missing_files():
    with pytest.raises(FileNotFoundError, match="did you mean 'vqvae_fashion_mnist'"):
        configs.load_config("vqvae_fashon")
    with pytest.raises(FileNotFoundError, match="nowhere.yaml"):
        configs.load_config("nowhere.yaml")


@pytest.mark.parametrize("tag", ["name:os.getcwd", "object/apply:os.getcwd []"])
def test_yaml_makes_no_python_objects(tag):
    with pytest.raises(ValueError, match="is not YAML: could not determine a constructor"):
        configs.parse(f"paper: !!python/{tag}")


JOINT = tiny_lab.config("categorical", "autoregressive", "joint")
STAGE = tiny_lab.STAGE


def test_either_kind_of_training_becomes_the_other():
    both = {"autoencoder": STAGE, "prior": {**STAGE, "seed": 1}}
    assert configs.with_training(JOINT, "joint") is JOINT and configs.with_training(JOINT, None) is JOINT
    marginal = configs.with_training(JOINT, "marginal")
    assert marginal["training"] == both
    configs.check(marginal)
    assert configs.with_training(marginal, "joint") == JOINT
    with pytest.raises(ValueError, match="`training` must be one of"):
        configs.with_training(JOINT, "jointly")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"training": {"autoencoder": STAGE}}, "`training` must hold .* or `joint` alone"),
        ({"prior": {"family": "StandardNormalPrior"}}, "`prior.family` must be Autoregressive"),
        ({"autoencoder": {"family": "VQVAE"}}, "`autoencoder.family` must be DiscreteVAE for joint"),
        ({"data": {"class_names": ["a", "b"]}}, "`prior.conditional` must be false"),
        ({"prior": {"conditional": "no"}}, "`prior.conditional` must be of type bool"),
        ({"training": {"joint": {"steps": 0}}}, "`training.joint.steps`"),
    ],
)
def test_what_cannot_be_trained_together(overrides, message):
    with pytest.raises(ValueError, match=message):
        configs.check(configs.merge(JOINT, overrides))


def test_training_needs_a_stage():
    with pytest.raises(ValueError, match="`training` must hold the stage `autoencoder`.*nothing"):
        configs.check({**JOINT, "training": {}})


def test_a_prior_may_be_told_no_classes(config):
    names = {"class_names": ["a", "b"]}
    told = configs.merge(config, {"data": names})
    untold = configs.merge(told, {"prior": {"conditional": False}})
    assert configs.num_classes(told) == 2 and configs.num_classes(untold) is None
    configs.check(untold)
