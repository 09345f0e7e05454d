"""The registry: finds an entry's configuration, builds its model, finds its weights."""

import fnmatch
import json
import pathlib

from vqzoo import config as configs
from vqzoo import downloads
from vqzoo import manifest as manifests

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
    found = fnmatch.filter(configs.names(), pattern)
    if pretrained is None:
        return found
    return [name for name in found if is_pretrained(name) == bool(pretrained)]


def is_pretrained(name):
    """Whether an entry's weights, their checksums and their scores are all here."""
    folder = configs.folder_of("pretrained") / name
    if not (folder / manifests.FILE).is_file() or not (folder / RESULTS).is_file():
        return False
    return all(downloads.locate(name, file) for file in manifests.read(folder)["files"])


def describe(name):
    """All that the registry knows of an entry, without building it.

    Args:
        name: str, one of `list_models()`, or the path of a YAML file.

    Returns:
        dict with `name`, `config` (dict), `pretrained` (bool), `results` (dict, empty without
        weights), `card` (str or None) and `folder` (path of the weights' folder in the package).

    Raises:
        FileNotFoundError: if there is no such entry.
    """
    config = configs.read_config(name)
    folder = configs.folder_of("pretrained") / str(name)
    results = folder / RESULTS
    return {
        "name": str(name),
        "config": config,
        "pretrained": is_pretrained(str(name)),
        "results": json.loads(results.read_text("utf-8")) if results.is_file() else {},
        "card": _card(folder),
        "folder": folder,
    }


def _card(folder):
    path = folder / CARD
    return path.read_text(encoding="utf-8") if path.is_file() else None


def create(name, *, data=None, autoencoder=None, prior=None):
    """A model with fresh weights.

    ```python
    model = vqzoo.create("vqvae_fashion_mnist", autoencoder={"num_embeddings": 256})
    ```

    Args:
        name: str, one of `list_models()`, or the path of a YAML file.
        data, autoencoder, prior: dicts of what to change in these sections of the configuration.

    Returns:
        A `ZooModel`.

    Raises:
        FileNotFoundError: if there is no such entry or file.
        ValueError: if a key is unknown, or a value has the wrong type.
    """
    sections = {"data": data, "autoencoder": autoencoder, "prior": prior}
    overrides = {section: values for section, values in sections.items() if values is not None}
    config = configs.merge(configs.read_config(name), overrides)
    configs.check(config)
    return build(config)


def build(config):
    """A model with fresh weights from a checked configuration; see `vqzoo.config.load_config`."""
    from vqzoo import models, priors
    from vqzoo.zoo_model import ZooModel

    arguments = {"image_shape": config["data"]["image_shape"], **config["autoencoder"]}
    family = models.FAMILIES[arguments.pop("family")]
    autoencoder = family(**arguments)
    num_classes = len(config["data"].get("class_names") or []) or None
    return ZooModel(config, autoencoder, priors.create(config["prior"], autoencoder, num_classes))


def load(name):
    """A model with trained weights.

    Args:
        name: str, one of `list_models(pretrained=True)`, or the path of a folder that
            `ZooModel.save` wrote. A path has a slash, or names no entry.

    Returns:
        A `ZooModel`.

    Raises:
        FileNotFoundError: if there is no such model or a file of it is missing; says which file
            to put where, or what to run.
        ValueError: if a file is damaged, of a newer format, or the prior belongs to another
            tokenizer or other classes.
    """
    if str(name) not in configs.names():
        return _load_folder(pathlib.Path(name))
    folder = configs.folder_of("pretrained") / str(name)
    if not (folder / manifests.FILE).is_file():
        raise FileNotFoundError(
            f"there are no trained weights for {name} yet: run `vqzoo train {name}`, or use "
            f"`vqzoo.create({str(name)!r})` for fresh ones"
        )
    manifest = manifests.read(folder)
    return _assemble(manifest, downloads.fetch(str(name), manifest["files"]), _card(folder))


def _load_folder(folder):
    if not (folder / manifests.FILE).is_file():
        known = list_models(pretrained=True) or configs.names()
        raise FileNotFoundError(
            f"`name` must be one of {', '.join(known)}, or a folder that `ZooModel.save` wrote. "
            f"Received: {str(folder)!r}; did you mean {configs.nearest(folder, known)!r}?"
        )
    manifest = manifests.read(folder)
    for file, entry in manifest["files"].items():
        manifests.check_file(folder / file, entry)
    return _assemble(manifest, {file: folder / file for file in manifest["files"]}, _card(folder))


def _assemble(manifest, paths, card):
    """Builds the model of checked files and puts the weights into it."""
    from vqzoo import weights

    config = configs.parse(paths[configs.CONFIG_FILE].read_text("utf-8"), configs.CONFIG_FILE)
    configs.check(config)
    if manifest.get("class_names") != config["data"].get("class_names"):
        raise ValueError(
            f"the prior was trained on the classes {manifest.get('class_names')}. "
            f"Received a configuration with {config['data'].get('class_names')}"
        )
    model = build(config)
    weights.load_weights(model.autoencoder, paths[weights.AUTOENCODER])
    model.card = card
    model.has_prior = weights.PRIOR in paths or not model.prior.weights
    if weights.PRIOR in paths:
        weights.load_weights(model.prior, paths[weights.PRIOR])
        model.tokenizer_hash = manifest.get("tokenizer_hash")
        model.check_tokenizer()
    return model
