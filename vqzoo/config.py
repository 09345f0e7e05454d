"""Configurations: what an entry of the zoo is made of, read from YAML, checked and merged."""

import copy
import importlib.resources
import json
import pathlib

import yaml

from vqzoo.checks import checked_choice, checked_class_names, checked_int, checked_number
from vqzoo.checks import checked_path, checked_sizes, nearest, shown
from vqzoo.signature_checks import NUMBER, check_arguments, check_signature, check_type

_STAGE_NEEDS = ("learning_rate", "batch_size", "steps", "seed")

CONFIG_FILE = "config.yaml"
"""Name of the configuration in a model folder."""

_LOWEST = {"warmup_steps": 0, "batch_size": 1, "steps": 1}
_STAGE = {
    "optimizer": str,
    "optimizer_arguments": dict,
    "learning_rate": NUMBER,
    "schedule": str,
    "decay_rate": NUMBER,
    "warmup_steps": int,
    "batch_size": int,
    "steps": int,
    "seed": int,
    "precision": str,
}
SECTIONS = {
    "paper": {"title": str, "authors": str, "arxiv": str, "section": str, "numbers": dict},
    "data": {
        "name": str,
        "image_shape": list,
        "splits": {"train": str, "test": str},
        "flip": bool,
        "crop": list,
        "class_names": (list, type(None)),
        "licence": str,
    },
    "autoencoder": dict,
    "prior": dict,
    "training": {"autoencoder": dict, "prior": (dict, list), "joint": dict},
    "start_from": {"name": str, "manifest": str},
    "smoke": dict,
}
"""Keys that a configuration may hold, and the type of each; nested mappings are given as such.

`autoencoder` and `prior` hold a `family` and its constructor's arguments, and `prior` perhaps
`conditional: false`, for a prior that is told no classes of images that have some; `training` the
keys of a stage, for a prior of several levels a list of such mappings, coarse to fine, or `joint`
alone, the stage that trains both together; `smoke` holds overrides; `start_from` names the model
from whose weights training starts, with the SHA-256 of its manifest.
"""

_FROM_AUTOENCODER = ("latent_shapes", "codebook_sizes", "num_classes", "num_embeddings", "name")
_FROM_AUTOENCODER += ("condition_channels",)
OF_NO_FAMILY = ("conditional",)
"""Keys that a mapping with a `family` keeps when it gets another one."""

_REQUIRED = {
    "": ("data", "autoencoder", "prior", "training"),
    "data": ("image_shape",),
    "start_from": ("name",),
}


def folder_of(package):
    """Path of `vqzoo.zoo_configs` or `vqzoo.pretrained`, wherever the installation put it.

    In a checkout that is on the path without being installed both lie beside `vqzoo/`.
    """
    try:
        return pathlib.Path(str(importlib.resources.files(f"vqzoo.{package}")))
    except ModuleNotFoundError:
        return pathlib.Path(__file__).parent.parent / package


def names():
    """Sorted names of the registry's entries: list of str, one for each file of `zoo_configs`."""
    return sorted(path.stem for path in folder_of("zoo_configs").glob("*.yaml"))


def load_config(name):
    """Reads and checks a configuration.

    Args:
        name: str or path; a name of `names()` or the path of a YAML file.

    Returns:
        A dict with the keys of `SECTIONS`.

    Raises:
        FileNotFoundError: if there is neither such an entry nor such a file.
        ValueError: if a key is unknown or a value has the wrong type.
    """
    config = read_config(name)
    check(config)
    return config


def read_config(name):
    """As `load_config`, but checks neither keys nor types, which needs the model families' code."""
    path = checked_path(name, "name")
    if path.suffix not in (".yaml", ".yml"):
        if str(name) not in names():
            raise FileNotFoundError(
                f"`name` must be one of {', '.join(names())}, or the path of a .yaml file. "
                f"Received: {str(name)!r}; did you mean "
                f"{nearest(name, names())!r}?"
            )
        path = folder_of("zoo_configs") / f"{name}.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"`name` must be an existing .yaml file. Received: {str(path)!r}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not YAML in UTF-8: {error}") from error
    return parse(text, path)


def parse(text, path="a configuration"):
    """The mapping that the YAML `text` holds; `path` is what an error calls it."""
    try:
        config = yaml.safe_load(text)
        json.dumps(config, default=str, skipkeys=True)  # an alias may make it part of itself
    except Exception as error:  # PyYAML's constructors raise half a dozen types on odd values
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise ValueError(
            f"{path} must hold a mapping with the keys {', '.join(SECTIONS)}. "
            f"Received: {type(config).__name__}"
        )
    return config


def dump(config):
    """YAML text that `parse` turns back into `config`."""
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)


def merge(config, overrides):
    """A copy of `config` in which the values of `overrides` replace its own, however deep.

    A mapping is merged key by key, unless `overrides` gives it another `family`: the arguments of
    one family mean nothing to another, so the mapping is then replaced whole, but for
    `conditional`, which is no family's. So is a list, such as that of the levels of a prior:
    `overrides` gives all of it.
    """
    merged = copy.deepcopy(config)
    for key, value in overrides.items():
        old = merged.get(key)
        same = isinstance(value, dict) and isinstance(old, dict)
        # Overrides that name no family mean the one that is there.
        if same and value.get("family", old.get("family")) == old.get("family"):
            merged[key] = merge(old, value)
        else:
            kept = {name: old[name] for name in OF_NO_FAMILY if same and name in old}
            merged[key] = copy.deepcopy({**kept, **value} if kept else value)
    return merged


def with_training(config, training):
    """A copy of `config` whose stages train its parts one after the other or together.

    Args:
        config: dict, not checked.
        training: `"marginal"`, `"joint"`, or None for `config` as it is. The stages that are
            missing take the settings of those that are there.

    Raises:
        ValueError: if `training` is none of these.
    """
    if training is None:
        return config
    checked_choice(training, "training", ("marginal", "joint"))
    stages = config.get("training")
    if not isinstance(stages, dict) or not {"joint", "autoencoder"} & set(stages):
        raise ValueError(
            "a configuration needs `training.joint` or `training.autoencoder` for another kind of "
            f"training. Received: {shown(stages)}"
        )
    if (training == "joint") == ("joint" in stages):
        return config
    if training == "joint":
        return {**config, "training": {"joint": stages["autoencoder"]}}
    joint = stages["joint"]
    after = {**joint, "seed": joint["seed"] + 1}
    return {**config, "training": {"autoencoder": joint, "prior": after}}


def num_classes(config):
    """Number of classes that the prior of a checked configuration tells apart, or None."""
    from vqzoo import priors

    class_names = config["data"].get("class_names") or []
    conditional = priors.FAMILIES[config["prior"]["family"]].conditional
    conditional = conditional and config["prior"].get("conditional", True)
    return len(class_names) if class_names and conditional else None


def stages(config):
    """The training stages of a checked configuration, in their order.

    Returns:
        dict of name to mapping: `autoencoder` and `prior`, or `prior_0`, `prior_1` and so on,
        coarse to fine, where every level of the prior has a stage of its own.
    """
    found = dict(config["training"])
    levels = found.get("prior")
    if isinstance(levels, list):
        del found["prior"]
        found |= {f"prior_{level}": stage for level, stage in enumerate(levels)}
    return found


def check(config):
    """Checks keys and types of a whole configuration, and of what `smoke` makes of it.

    Raises:
        ValueError: naming the key, what would be right and what was received.
    """
    check_type("config", config, dict)
    _check_mapping(config, SECTIONS, where="")
    check_data(config["data"])
    _check_training(config)
    for stage, settings in config["training"].items():
        for place, level in _entries(f"training.{stage}", settings):
            _check_stage(place, level)
    _check_parts(config)
    # A mistake in `smoke` would show only when somebody runs it: it is checked with the rest.
    if config.get("smoke"):
        try:
            check({**merge(config, config["smoke"]), "smoke": {}})
        except ValueError as error:
            raise ValueError(f"`smoke` makes a wrong configuration: {error}") from error


def _check_training(config):
    """Checks that there is a stage for the autoencoder: its own, or one together with the prior."""
    found = set(config["training"])
    if "joint" not in found and "autoencoder" not in found or found > {"joint"}:
        raise ValueError(
            "`training` must hold the stage `autoencoder`, and `prior` where there is something to "
            f"train, or `joint` alone. Received: {', '.join(sorted(found)) or 'nothing'}"
        )


def _entries(where, value):
    """Dotted name and value of a mapping, or of each entry of a list of mappings."""
    if isinstance(value, list):
        return [(f"{where}[{index}]", entry) for index, entry in enumerate(value)]
    return [(where, value)]


def _check_mapping(mapping, schema, where, needed=()):
    """Checks the keys of `mapping` and their types against `schema`; `where` is its dotted name."""
    for key in (*_REQUIRED.get(where, ()), *needed):
        if key not in mapping:
            name = f"{where}.{key}" if where else key
            raise ValueError(f"a configuration needs `{name}`. Received: {shown(list(mapping))}")
    for key, value in mapping.items():
        name = f"{where}.{key}" if where else str(key)
        if key not in schema:
            raise ValueError(
                f"`{name}` is no key of a configuration; did you mean {nearest(key, schema)!r}? "
                f"Received: {shown(value)}"
            )
        expected = schema[key]
        check_type(name, value, dict if isinstance(expected, dict) else expected)
        if isinstance(expected, dict):
            _check_mapping(value, expected, name)


def check_data(data):
    """Checks the section `data` of a configuration alone; errors as for `check`."""
    check_type("data", data, dict)
    _check_mapping(data, SECTIONS["data"], "data")
    checked_sizes(data["image_shape"], "data.image_shape", "height, width and channels", 3)
    if "crop" in data:
        checked_sizes(data["crop"], "data.crop", "height and width", 2)
    checked_class_names(data.get("class_names"), "data.class_names")


def _check_stage(name, stage):
    """Checks a training stage, before hours are spent on NaN or no steps at all."""
    check_type(name, stage, dict)
    _check_mapping(stage, _STAGE, name, _STAGE_NEEDS)
    rate, right = stage["learning_rate"], "above 0 and finite"
    checked_number(rate, f"{name}.learning_rate", right, lambda rate: 0 < rate < float("inf"))
    checked_int(stage["seed"], f"{name}.seed", 0, 2**32 - 1)
    for key in _LOWEST.keys() & stage.keys():
        checked_int(stage[key], f"{name}.{key}", _LOWEST[key])


def _check_parts(config):
    """Checks `autoencoder` and `prior` against the signatures of the classes that they name."""
    # Late, since it starts the backend: `vqzoo list` reads configurations without it.
    from vqzoo import models, networks, priors

    image_shape = {"image_shape": config["data"]["image_shape"]}
    check_arguments("autoencoder", image_shape | config["autoencoder"], models.FAMILIES, ("name",))
    arguments = {key: value for key, value in config["prior"].items() if key != "conditional"}
    check_arguments("prior", arguments, priors.FAMILIES, _FROM_AUTOENCODER)
    check_type("prior.conditional", config["prior"].get("conditional", True), bool)
    prior, levels = priors.FAMILIES[config["prior"]["family"]], config["prior"].get("levels")
    if "joint" in config["training"]:
        _check_joint(config, prior, models.FAMILIES)
    elif prior.trainable_stage:
        _check_prior_stages(config["training"], levels, prior.__name__)
    if levels is None:
        _check_level("prior", config["prior"], networks)
    for where, level in _entries("prior.levels", levels or []):
        check_type(where, level, dict)
        _check_mapping(level, {"network": dict, "conditioning": dict}, where, ("network",))
        _check_level(where, level, networks)


def _check_joint(config, prior, families):
    """Checks that autoencoder and prior are of families that can be trained together."""
    family = families[config["autoencoder"]["family"]]
    if not family.trains_with_prior:
        right = [name for name, known in families.items() if known.trains_with_prior]
        raise ValueError(
            f"`autoencoder.family` must be {' or '.join(right)} for joint training. "
            f"Received: {family.__name__}"
        )
    if not hasattr(prior, "position_log_probs"):
        raise ValueError(
            "`prior.family` must be AutoregressivePrior or UniformPrior for joint training. "
            f"Received: {prior.__name__}"
        )
    if num_classes(config) is not None:
        raise ValueError(
            "`prior.conditional` must be false for joint training of images with classes. "
            f"Received: {config['prior'].get('conditional', True)}"
        )


def _check_level(where, level, networks):
    """Checks `network` and `conditioning` of a prior's level, if the mapping has them."""
    if "network" in level:
        network, where_network = level["network"], f"{where}.network"
        check_type(where_network, network, dict)
        check_arguments(where_network, network, networks.CAUSAL_NETWORKS, _FROM_AUTOENCODER)
    if "conditioning" in level:
        stack, where_stack = networks.ConditioningStack, f"{where}.conditioning"
        check_signature(where_stack, level["conditioning"], stack, _FROM_AUTOENCODER)


def _check_prior_stages(training, levels, family):
    """Checks that `training.prior` is a stage, or one for each of the prior's levels."""
    if "prior" not in training:
        raise ValueError(
            f"a configuration needs `training.prior` for a {family}. "
            f"Received: {', '.join(training)}"
        )
    stages = training["prior"]
    found = f"a list of {len(stages)}" if isinstance(stages, list) else "a single mapping"
    if levels is None and isinstance(stages, list):
        raise ValueError(
            "`training.prior` must be a single mapping for a prior without `levels`. "
            f"Received: {found}"
        )
    if levels is None:
        return
    check_type("prior.levels", levels, list)
    if found != f"a list of {len(levels)}":
        raise ValueError(
            f"`training.prior` must be a list of {len(levels)} stages, one for each of "
            f"`prior.levels`, coarse to fine. Received: {found}"
        )
