"""Where a fine-tuning run starts: at the weights of another model."""

import functools

from keras import ops

from vqzoo import config as configs
from vqzoo import manifest as manifests
from vqzoo import priors, zoo

SHAPELESS = ("name", "seed", "scale", "commitment_cost", "decay", "codebook_init")
SHAPELESS += ("restart_threshold",)
"""Arguments of autoencoders that change no weight's shape."""


def starting_point(config, start_from=None):
    """The `StartingPoint` of a run, None for one that starts from random weights.

    Args:
        config: dict, the run's configuration; its `start_from` counts if the argument is None.
        start_from: str or path as for `StartingPoint`, or None.

    Raises:
        FileNotFoundError: if there are no such weights.
        ValueError: if those that the configuration names are not what they were.
    """
    stated = config.get("start_from", {})
    if start_from is not None:
        return StartingPoint(start_from)
    if not stated:
        return None
    start, wanted = StartingPoint(stated["name"]), stated.get("manifest")
    found = start.record["manifest"]
    if wanted not in (None, found):
        raise ValueError(
            f"`start_from.manifest` must be {found}, that of {stated['name']} as it is now. "
            f"Received: {wanted}"
        )
    return start


class StartingPoint:
    """The weights of a trained model, from which a run goes on in place of random ones.

    Args:
        name: str or path, an entry with trained weights, or the folder of a model.

    Attributes:
        record: dict for a run's configuration, which identifies the weights: `name`, the entry's
            or the folder's absolute path, and `manifest`, the SHA-256 of its manifest.

    Raises:
        FileNotFoundError: if there is no such model, or it has no weights.
    """

    def __init__(self, name):
        is_entry = str(name) in configs.names()
        pretrained = configs.folder_of("pretrained")
        folder = pretrained / str(name) if is_entry else zoo.model_folder(name)
        if folder is None or not (folder / manifests.FILE).is_file():
            known = ", ".join(zoo.list_models(pretrained=True))
            raise FileNotFoundError(
                f"`start_from` must have trained weights: one of {known}, or the folder of a "
                f"model. Received: {str(name)!r}"
            )
        self.record = {
            "name": str(name) if is_entry else str(folder.resolve()),
            "manifest": manifests.sha256(folder / manifests.FILE),
        }

    @functools.cached_property
    def model(self):
        """The `ZooModel` with these weights."""
        return zoo.load(self.record["name"])

    def check(self, autoencoder):
        """Checks that the weights fit a fresh autoencoder; the size of its images may differ.

        Raises:
            ValueError: naming the first key of the configuration that makes them not fit.
        """
        theirs = self.model.autoencoder
        if _shapes(theirs) == _shapes(autoencoder):
            return
        old, new = _key_values(theirs), _key_values(autoencoder)
        key = next(key for key in [*new, *old] if old.get(key) != new.get(key))
        raise ValueError(
            f"`{key}` must be {old.get(key)!r}, as in {self.record['name']}, from whose weights "
            f"the run starts. Received: {new.get(key)!r}"
        )

    def describe(self, prior, config):
        """str: what a run keeps of these weights, and a list of all that it does not.

        Args:
            prior, config: as for `restore_prior`.
        """
        left = self.restore_prior(prior, config)
        but = "".join(f"\n  {line}" for line in left)
        return f"starts from {self.record['name']}; not restored:{but or ' nothing'}"

    def restore_autoencoder(self, autoencoder):
        """Copies encoder, codebook with its averages, decoder and a scale that is to be fitted."""
        given = None if autoencoder.fits_scale else autoencoder.likelihood_scale
        for old, new in zip(self.model.autoencoder.weights, autoencoder.weights, strict=True):
            if new is not given:
                new.assign(ops.convert_to_numpy(old))

    def restore_prior(self, prior, config):
        """Copies the weights that two priors share, told by name and shape.

        Weights that belong to classes, those that a prior without classes lacks, are shared only
        where both have the same classes.

        Args:
            prior: a fresh prior.
            config: dict, the configuration that it was made of.

        Returns:
            List of str: name and shape of each weight that was not copied, and why.
        """
        old = _by_name(self.model.prior) if self.model.has_prior else {}
        new, shared = _by_name(prior), old.keys()
        if self.model.class_names != config["data"].get("class_names"):
            classless = priors.create(config["prior"], self.model.autoencoder, num_classes=None)
            shared = _by_name(classless).keys()
        left = []
        for path, weight in {**old, **new}.items():
            why = _difference(old.get(path), new.get(path), path in shared)
            if why:
                left.append(f"{path} {tuple(weight.shape)}: {why}")
            else:
                new[path].assign(ops.convert_to_numpy(old[path]))
        return left


def _by_name(prior):
    """dict of a prior's weights by path, which starts with its level's name if it has levels."""
    parts = {f"{level.name}/": level for level in getattr(prior, "levels", [])} or {"": prior}
    return {
        start + weight.path: weight for start, part in parts.items() for weight in part.weights
    }


def _difference(old, new, shared):
    """Why the weight `old` is not to be copied to `new`; None if it is."""
    if new is None:
        return "has no place here"
    if old is None:
        return "is fresh, since there is none in the start"
    if not shared:
        return "is fresh, since the classes are others"
    if old.shape != new.shape:
        return f"is fresh, since it is {tuple(old.shape)} in the start"
    return None


def _shapes(model):
    return [tuple(weight.shape) for weight in model.weights]


def _key_values(autoencoder):
    """What decides the shapes of an autoencoder's weights, under the keys of a configuration."""
    arguments = {"family": type(autoencoder).__name__, **autoencoder.get_config()}
    arguments = {key: value for key, value in arguments.items() if key not in SHAPELESS}
    image_shape = arguments.pop("image_shape")
    values = {f"autoencoder.{key}": value for key, value in arguments.items()}
    return {"data.image_shape[2]": image_shape[2], **values, "data.image_shape": image_shape}
