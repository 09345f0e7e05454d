"""Loads a saved Keras model in a new process and calls it there."""

import subprocess
import sys

import numpy as np

PROGRAM = """
import sys
import keras
import numpy as np
import {module}
path, inputs, output = sys.argv[1:]
model = keras.saving.load_model(path)
np.save(output, keras.ops.convert_to_numpy(model(np.load(inputs))).astype("float32"))
"""


def call_in_fresh_process(model, inputs, module, folder):
    """What a saved and loaded model returns in a process that has imported `module` only.

    Args:
        model: `keras.Model` of one input and one output.
        inputs: array.
        module: str, the import that must register the model's classes.
        folder: path for the files.

    Returns:
        float32 array.
    """
    paths = [str(folder / name) for name in ("model.keras", "inputs.npy", "output.npy")]
    model.save(paths[0])
    np.save(paths[1], inputs)
    program = PROGRAM.format(module=module)
    subprocess.run([sys.executable, "-c", program, *paths], check=True)
    return np.load(paths[2])
