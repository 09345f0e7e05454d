"""Activations of a network in a TFLite file."""

import warnings

import numpy as np


def tflite_features(path, tensor=""):
    """The input shape of a TFLite network, and a function that computes its activations.

    Images pass one by one: the shapes inside such a file are those of one image.

    Args:
        path: `pathlib.Path` of the file. Its first input takes pixels in 0..255, as uint8 or float.
        tensor: str, the end of the name of the tensor to read, "" for the first output. Quantised
            values are scaled back; maps are averaged over space.

    Returns:
        `((height, width, channels), compute)`, `compute` as `FeatureNetwork` takes it.

    Raises:
        ValueError: if the file is none, takes other types (such as int8), or has no such tensor.
    """
    interpreter = _interpreter(path, keep=bool(tensor))
    names = [each for each in interpreter.get_tensor_details() if each["name"].endswith(tensor)]
    if not names:
        raise ValueError(f"`features` must end in the name of a tensor. Received: {tensor!r}")
    entry = interpreter.get_input_details()[0]
    leave = names[-1] if tensor else interpreter.get_output_details()[0]
    scale, zero = leave["quantization"]

    if entry["dtype"] not in (np.uint8, np.float32):
        raise ValueError(
            f"`features` must take uint8 or float32. Received: {path} of {entry['dtype'].__name__}"
        )

    def activations(image):
        wanted = np.clip(np.round(image), 0, 255) if entry["dtype"] == np.uint8 else image
        interpreter.set_tensor(entry["index"], wanted[None].astype(entry["dtype"]))
        interpreter.invoke()
        values = interpreter.get_tensor(leave["index"]).astype("float32")
        values = values.reshape(-1, values.shape[-1]).mean(axis=0)
        return (values - zero) * scale if scale else values

    def compute(pixels):
        return np.stack([activations(image) for image in pixels]), None

    return entry["shape"][1:].tolist(), compute


def _interpreter(path, keep):
    """The file's interpreter; `keep` says whether inner tensors can be read as well."""
    import tensorflow as tf

    kinds = tf.lite.experimental.OpResolverType
    # What a delegate computes in one piece leaves no inner tensors behind.
    kind = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep else kinds.AUTO
    with warnings.catch_warnings():
        # It announces a successor, another package, and that keeping tensors takes memory.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = tf.lite.Interpreter(
            str(path),
            experimental_preserve_all_tensors=keep,
            experimental_op_resolver_type=kind,
        )
    interpreter.allocate_tensors()
    return interpreter
