"""python -I answers.py SAVED_MODEL REQUESTS.npz ANSWERS.npz: a process that knows TensorFlow only.

An array `SIGNATURE/CALL/INPUT` of the requests is an input of one call of one signature; its
outputs are written as `SIGNATURE/CALL/OUTPUT`.
"""

import collections
import sys

for absent in ("vqzoo", "keras", "tf_keras"):
    sys.modules[absent] = None  # an import of it fails

import numpy as np
import tensorflow as tf

saved_model, requests, answers = sys.argv[1:]
signatures = tf.saved_model.load(saved_model).signatures
calls = collections.defaultdict(dict)
for path, array in np.load(requests).items():
    call, name = path.rsplit("/", 1)
    calls[call][name] = tf.constant(array)
outputs = {}
for call, inputs in calls.items():
    for name, tensor in signatures[call.split("/")[0]](**inputs).items():
        outputs[f"{call}/{name}"] = tensor.numpy()
np.savez(answers, **outputs)
