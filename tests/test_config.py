import copy

import pytest

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
