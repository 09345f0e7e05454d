"""The registry: finds an entry's configuration, builds its model, finds its weights."""

import fnmatch
import json
import pathlib

from vqzoo import config as configs
from vqzoo import downloads
from vqzoo import manifest as manifests
from vqzoo.checks import checked_bool, checked_path, nearest, shown

RESULTS, CARD = "results.json", "README.md"
"""Files beside an entry's weights: every number with its definition, and the model card."""


def list_models(pattern="*", pretrained=None):
    """Sorted names of the entries.

    Args:
        pattern: str as on a command line, such as `"vqvae*"`.
        pretrained: None for all entries, True for those with trained weights, False for the rest.

    Returns:
        A list of str.
    """
    if not isinstance(pattern, str):
        raise TypeError(f"`pattern` must be a str such as 'vqvae*'. Received: {shown(pattern)}")
    found = fnmatch.filter(configs.names(), pattern)
    if pretrained is None:
        return found
    wanted = checked_bool(pretrained, "pretrained")
    return [name for name in found if is_pretrained(name) == wanted]


def is_pretrained(name):
    """Whether an entry's weights, their checksums and their scores are all here."""
    folder = configs.folder_of("pretrained") / name
    if not (folder / manifests.FILE).is_file() or not (folder / RESULTS).is_file():
        return False
    return all(downloads.locate(name, file) for file in manifests.read(folder)["files"])


def is_tokenizer_only(name):
    """Whether an entry has weights, but none for the prior that its configuration trains."""
    if not is_pretrained(name):
        return False
    files = manifests.read(configs.folder_of("pretrained") / name)["files"]
    return "prior" in configs.read_config(name)["training"] and manifests.PRIOR not in files


def model_folder(path):
    """The folder with the weights that `path` names, a model's or a whole run's; else None."""
    folders = (pathlib.Path(path), pathlib.Path(path) / "model")
    return next((folder for folder in folders if (folder / manifests.FILE).is_file()), None)


def describe(name):
    """All that is known of a model, without building it.

    Args:
        name: str, one of `list_models()`, or a path as for `load`, or of a YAML file.

    Returns:
        dict with `name`, `config` (dict), `pretrained` (bool, whether its weights are here),
        `results` (dict, empty if there are none), `card` (str or None) and `folder` (path of the
        files beside the weights).

    Raises:
        FileNotFoundError: if there is no such model.
    """
    checked_path(name, "name")
    own = None if str(name) in configs.names() else model_folder(name)
    folder = own or configs.folder_of("pretrained") / str(name)
    results, card = folder / RESULTS, folder / CARD
    return {
        "name": str(name),
        "config": configs.read_config(own / configs.CONFIG_FILE if own else name),
        "pretrained": bool(own) or is_pretrained(str(name)),
        "results": _read_results(results) if results.is_file() else {},
        "card": card.read_text("utf-8", errors="replace") if card.is_file() else None,
        "folder": folder,
    }


def _read_results(path):
    try:
        results = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(results, dict) or not isinstance(results.get("scores", {}), dict):
        raise ValueError(f"{path} must hold a mapping with `scores`. Received: {shown(results)}")
    return results


def create(name, *, data=None, autoencoder=None, prior=None, training=None):
    """A model with fresh weights.

    ```python
    model = vqzoo.create("vqvae_fashion_mnist", autoencoder={"num_embeddings": 256})
    ```

    Args:
        name: str, one of `list_models()`, or the path of a YAML file.
        data, autoencoder, prior: dicts of what to change in these sections of the configuration.
        training: `"marginal"`, the prior after the autoencoder, or `"joint"`, both together;
            None: as the configuration says.

    Returns:
        A `ZooModel`.

    Raises:
        FileNotFoundError: if there is no such entry or file.
        ValueError: if a key is unknown, or a value has the wrong type.
    """
    sections = {"data": data, "autoencoder": autoencoder, "prior": prior}
    overrides = {section: values for section, values in sections.items() if values is not None}
    entry = configs.read_config(name)
    entry.pop("smoke", None)  # overrides for the recipe, which may not fit those given here
    config = configs.with_training(configs.merge(entry, overrides), training)
    configs.check(config)
    return build(config)


def build(config):
    """A model with fresh weights from a checked configuration; see `vqzoo.config.load_config`."""
    from vqzoo.zoo_model import ZooModel

    return ZooModel(config, *_build_parts(config))


def _build_parts(config):
    from vqzoo import models, priors

    arguments = {"image_shape": config["data"]["image_shape"], **config["autoencoder"]}
    family = models.FAMILIES[arguments.pop("family")]
    autoencoder = family(**arguments)
    prior = priors.create(config["prior"], autoencoder, configs.num_classes(config))
    return autoencoder, prior


def load(name):
    """A model with trained weights.

    Args:
        name: str, one of `list_models(pretrained=True)`; or the path of a folder that
            `ZooModel.save` or `vqzoo.train` wrote, if no entry is called so.

    Returns:
        A `ZooModel`.

    Raises:
        FileNotFoundError: if there is no such model or a file of it is missing; says which file
            to put where, or what to run.
        ValueError: if a file is damaged, of a newer format, or the prior belongs to another
            tokenizer or other classes.
    """
    checked_path(name, "name")
    if str(name) in configs.names():
        return _load_entry(str(name))
    folder = model_folder(name)
    if folder is None:
        known = list_models(pretrained=True) or configs.names()
        raise FileNotFoundError(
            f"`name` must be one of {', '.join(known)}, or the folder of a model. "
            f"Received: {str(name)!r}; did you mean {nearest(name, known)!r}?"
        )
    manifest = manifests.read(folder)
    for file, entry in manifest["files"].items():
        manifests.check_file(folder / file, entry)
    paths = {file: folder / file for file in manifest["files"]}
    return _assemble(manifest, paths, describe(folder)["card"])


def _load_entry(name):
    description = describe(name)
    if not (description["folder"] / manifests.FILE).is_file():
        raise FileNotFoundError(
            f"there are no trained weights of {name} yet: run `vqzoo train {name}`, or use "
            f"`vqzoo.create({name!r})` for fresh ones"
        )
    manifest = manifests.read(description["folder"])
    paths = downloads.fetch(name, manifest["files"])
    return _assemble(manifest, paths, description["card"])


def _assemble(manifest, paths, card):
    """Builds the model of checked files and puts the weights into it."""
    from vqzoo import weights
    from vqzoo.zoo_model import ZooModel

    for file in (configs.CONFIG_FILE, manifests.AUTOENCODER):
        if file not in paths:
            raise ValueError(f"{manifests.FILE} must name {file}. Received: {', '.join(paths)}")
    config = configs.read_config(paths[configs.CONFIG_FILE])
    configs.check(config)
    if manifest.get("class_names") != config["data"].get("class_names"):
        raise ValueError(
            f"the prior was trained on the classes {manifest.get('class_names')}. "
            f"Received a configuration with {config['data'].get('class_names')}"
        )
    autoencoder, prior = _build_parts(config)
    weights.load_weights(autoencoder, paths[manifests.AUTOENCODER])
    if manifests.PRIOR not in paths:
        return ZooModel(config, autoencoder, prior, card, has_prior=not prior.weights)
    weights.load_weights(prior, paths[manifests.PRIOR])
    model = ZooModel(config, autoencoder, prior, card, manifest.get("tokenizer_hash"))
    model.check_tokenizer()
    return model


def verify():
    """Checks every file of the weights that the package and the cache hold.

    Yields:
        Pair of a file's path and None, or what is wrong with it.
    """
    for path in sorted(configs.folder_of("pretrained").glob(f"*/{manifests.FILE}")):
        try:
            files = manifests.read(path.parent)["files"]
        except ValueError as error:
            yield path, str(error)
            continue
        for file, entry in files.items():
            yield downloads.verify(path.parent.name, file, entry)
