"""Trains small autoencoders on one device and on two logical CPUs: `replica_steps.py OUTPUT`.

Logical devices can only be made before TensorFlow starts, so the test runs this as a process.
"""

import sys

import keras
import numpy as np

from vqzoo.layers import GaussianBottleneck, GumbelSoftmaxLatent, VectorQuantizer, VectorQuantizerEMA

RUNS = {  # options of the quantizer, number of images, epochs
    "sample": ({"codebook_init": "sample"}, 8, 1),
    "restart": ({"restart_threshold": 0.995}, 8, 1),  # restarts whom the first batch leaves out
    "gradient": (None, 8, 1),
    "gumbel": ("gumbel", 8, 1),  # relaxed codes that are drawn
    "gaussian": ("gaussian", 8, 1),  # no quantizer: vectors that are drawn
    "kmeans": ({"codebook_init": "kmeans", "restart_threshold": 1.1}, 8, 4),
    "unequal": ({"codebook_init": "sample", "restart_threshold": 1.1}, 15, 1),  # 8, then 4 and 3
}
SHAPE, NUM_EMBEDDINGS, DIM = (12, 8, 1), 32, 4


def build(options):
    """A convolutional autoencoder around the quantizer, with the same weights every time."""
    keras.utils.set_random_seed(1)
    images = keras.Input(SHAPE)
    features = keras.layers.Conv2D(8, 4, 2, "same", activation="relu", name="first")(images)
    features = keras.layers.Conv2D(DIM, 3, 1, "same", name="second")(features)
    if options == "gaussian":
        quantizer = GaussianBottleneck(DIM, seed=5, name="quantizer")
    elif options == "gumbel":
        features = keras.layers.Conv2D(NUM_EMBEDDINGS, 1, name="logits")(features)
        quantizer = GumbelSoftmaxLatent(NUM_EMBEDDINGS, DIM, seed=5, name="quantizer")
    elif options is None:
        quantizer = VectorQuantizer(NUM_EMBEDDINGS, DIM, name="quantizer")
    else:
        quantizer = VectorQuantizerEMA(NUM_EMBEDDINGS, DIM, seed=5, name="quantizer", **options)
    vectors = quantizer(features)["vectors"]
    output = keras.layers.Conv2DTranspose(1, 4, 2, "same", name="last")(vectors)
    model = keras.Model(images, output)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def train(options, num_images, epochs, strategy):
    """`fit` on batches of 8 images; returns weights and logs by name."""
    images = np.random.default_rng(2).normal(size=(num_images, *SHAPE)).astype("float32")
    with strategy.scope():
        model = build(options)
    logs = model.fit(images, images, 8, epochs, shuffle=False, verbose=0).history
    results = {f"log {name}": np.array(values) for name, values in logs.items()}
    for variable in model.weights:
        copies = getattr(variable.value, "values", [variable.value])  # one for each replica
        assert len(copies) == strategy.num_replicas_in_sync
        for copy in copies[1:]:
            np.testing.assert_array_equal(copy.numpy(), copies[0].numpy(), variable.path)
        results[variable.path] = copies[0].numpy()
    return results


def main(output):
    import tensorflow as tf  # here, so that other backends can read what is above

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    results = {}
    for run, arguments in RUNS.items():
        for replicas, strategy in ((1, one), (2, two)):
            for name, value in train(*arguments, strategy).items():
                results[f"{run} {replicas} {name}".replace("/", "|")] = value
    np.savez(output, **results)


if __name__ == "__main__":
    main(sys.argv[1])
