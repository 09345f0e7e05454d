"""vqzoo: latent-variable image models with trained weights, in Keras.

`import vqzoo` is quick: TensorFlow starts with the first model.
"""

import importlib

_HOMES = {
    "ZooModel": "vqzoo.zoo_model",
    "create": "vqzoo.zoo",
    "describe": "vqzoo.zoo",
    "list_models": "vqzoo.zoo",
    "load": "vqzoo.zoo",
    "train": "vqzoo.training.recipe",
}

__version__ = "0.1.0"
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vqzoo' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*__all__, "__version__"]
