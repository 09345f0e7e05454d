"""Writes a zoo model as a SavedModel in the layout of TensorFlow Serving."""

import pathlib
import tempfile

import keras

from vqzoo.checks import checked_path


def export(model, folder):
    """Writes a SavedModel that answers like the model in a process without vqzoo and Keras.

    Numbered versions in one folder are what https://www.tensorflow.org/tfx/guide/serving watches.

    | signature | inputs | outputs |
    |---|---|---|
    | `encode` | `images` | `codes_0`, `codes_1` ..., coarse to fine |
    | `decode` | `codes_0`, `codes_1` ... | `images` |
    | `reconstruct` | `images` | `images` |
    | `sample` | `seed`, `labels`, `temperature` | `images` |

    Images are uint8 `(batch, height, width, channels)` of the training size, codes int32
    `(batch, h, w)`; a level of continuous latents is `vectors_0` and so on, float32. `seed` (int64),
    `labels` (int32) and `temperature` (float32) have the shape `(batch,)`. A row of `sample` is
    `model.sample(1, label, seed, temperature)`, whatever the other rows are. A prior without
    classes takes no `labels`; a model without a trained prior has no `sample`, one of pixels has
    `sample` alone, with `seed` alone. Values out of range
    are refused with the input's name, as in Python.

    Args:
        model: `ZooModel`.
        folder: path; its last part is the name to serve under. The SavedModel becomes version
            `folder/1`, or one more than the highest there; it appears when it is whole, so that
            a running server can watch the folder.

    Returns:
        `pathlib.Path` of the new version.

    Raises:
        ValueError: if the backend is not TensorFlow, or the prior belongs to other codes.
        OSError: if the folder cannot be written.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            "export needs the backend that writes SavedModels: set the environment variable "
            f'`KERAS_BACKEND` to "tensorflow", and load the model. Received: {backend!r}'
        )
    folder = checked_path(folder, "folder")
    model.check_tokenizer()
    # Imported here: under another backend TensorFlow may be absent.
    import tensorflow as tf

    from vqzoo.export.signatures import signatures_of

    signatures = signatures_of(model)
    module = tf.Module()
    # What the graphs read and nothing else: no optimiser, no moving averages.
    module.weights = list({id(v): v for f in signatures.values() for v in f.variables}.values())
    folder.mkdir(parents=True, exist_ok=True)
    # Its name is no number: a server that watches the folder does not take it for a version.
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as unfinished:
        whole = pathlib.Path(unfinished) / "model"
        tf.saved_model.save(module, str(whole), signatures)
        return whole.rename(folder / str(_next_version(folder)))


def _next_version(folder):
    names = (path.name for path in folder.iterdir())
    return 1 + max((int(name) for name in names if name.isdecimal()), default=0)
