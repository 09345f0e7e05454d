"""Time of a step of `fit`, stage 1, beside the same network in PyTorch.

    python -m benchmarks.training_step --peer PEER/bin/python

The peer is a Python with torch (`pip install torch==2.13.0`); `training_step_peer.py` is its
side, in the memory format channels-last. Both have the same weights and see the same uint8
batches, from memory: forward, backward, Adam, moving averages of the codebook, restarts. Their
outputs and first losses are compared; then they take turns within one `fit`.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import ops

from benchmarks.measure import Peer, environment
from vqzoo import config as configs
from vqzoo.models import FAMILIES

ENTRIES = {"vqvae_fashion_mnist": 64, "vqvae_cifar10": 64, "vqvae2_imagenet": 4}
"""Entries and images a step."""
STEPS, WARM_UP = 8, 2
"""Steps a turn, and turns that do not count: the first brings compilation."""
COMPARED = 3
"""Steps whose losses must agree: what rounding changes grows from each step to the next."""
REST = 0.05
"""Seconds between turns, after which the threads of the side before have come to rest."""


def make_images(count, shape):
    """Noise on a coarse grid, enlarged, and a little on every pixel: uint8 `(count, *shape)`."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(20, 236, (count, shape[0] // 4, shape[1] // 4, shape[2]))
    images = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.integers(-20, 20, (count, *shape))
    return images.astype("uint8")


def make_model(arguments, images):
    """An entry's autoencoder whose codes are vectors of the first images, as in mid-training."""
    arguments = dict(arguments)
    family = FAMILIES[arguments.pop("family")]
    started, model = family(**arguments | {"codebook_init": "sample"}), family(**arguments)
    started.compile(keras.optimizers.SGD(0.0))
    started.train_on_batch(images)  # moves nothing but the codes
    model.set_weights(started.get_weights())
    for quantizer in model.quantizers:
        quantizer.counts.assign(ops.ones_like(quantizer.counts))
        quantizer.sums.assign(quantizer.codebook)
    # Keras adds epsilon before the bias correction, PyTorch after: hence one that does not count.
    model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-12))
    return model


def networks(model):
    """The parts of an autoencoder in the order in which the peer has them."""
    if not hasattr(model, "parts"):
        return [model.encoder, model.decoder]
    lists = ("encoders", "projections", "inner_decoders", "ups")
    return [*(part for name in lists for part in model.parts[name]), model.parts["decoder"]]


def save_weights(model, folder):
    weights = [weight for network in networks(model) for weight in network.weights]
    weights += [quantizer.codebook for quantizer in model.quantizers]
    arrays = {f"{i:03d}": ops.convert_to_numpy(weight) for i, weight in enumerate(weights)}
    np.savez(folder / "weights.npz", **arrays)


class TakeTurns(keras.callbacks.Callback):
    """Times turns of `fit`, lets the peer have one after each, and compares the first losses."""

    def __init__(self, peer, folder):
        super().__init__()
        self.peer, self.folder, self.losses = peer, folder, []
        self.times = {"vqzoo": [], "PyTorch": []}  # milliseconds a step

    def on_train_batch_begin(self, batch, logs=None):
        if batch % STEPS == 0:
            self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))  # waits for the step; a mean since the start
        if batch % STEPS == STEPS - 1:
            self.times["vqzoo"].append((time.perf_counter() - self.start) / STEPS * 1e3)
            time.sleep(REST)
            self.times["PyTorch"].append(self.peer.seconds(STEPS) / STEPS * 1e3)
            time.sleep(REST)
            if len(self.losses) == STEPS:
                self.compare()

    def compare(self):
        """The losses show whether gradients, Adam and the codebook's update are the same."""
        counts = np.arange(1, COMPARED + 1)
        losses = np.load(self.folder / "losses.npy")[:COMPARED].cumsum() / counts
        difference = np.abs(np.array(self.losses[:COMPARED]) / losses - 1).max()
        print(f"  losses of the first {COMPARED} steps within {difference:.1e}, relatively")
        assert difference < 1e-4, "after a few steps only would rounding make as much"


def check_outputs(model, images, folder):
    """The same weights must give the same codes and images before the first step."""
    stored, means = np.load(folder / "codes.npz"), np.load(folder / "means.npy")
    codes = [stored[str(level)] for level in range(len(model.quantizers))]
    pairs = zip(model.encode(images), codes, strict=True)
    same = min(np.mean(ops.convert_to_numpy(ours) == level) for ours, level in pairs)
    decoded = ops.convert_to_numpy(model.decoder_output(codes))
    difference = np.abs(decoded - means).max() / np.abs(means).max()
    print(f"  same codes: {same:.2%}; images of the same codes within {difference:.1e}")
    assert same > 0.999 and difference < 1e-4, "only ties within rounding may differ"


def run(name, batch, turns, peer_python):
    config = configs.read_config(name)
    arguments = {**config["autoencoder"], "image_shape": config["data"]["image_shape"]}
    print(f"{name}, {arguments['image_shape']}, batch {batch}, {turns} turns of {STEPS} steps")
    images = make_images((turns + WARM_UP) * STEPS * batch, arguments["image_shape"])
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        keras.utils.set_random_seed(0)
        model = make_model(arguments, images[:batch])
        save_weights(model, folder)
        np.save(folder / "images.npy", images)
        sizes = [arguments[key] for key in ("filters", "residual_filters", "num_residual_blocks")]
        sizes = [len(model.quantizers), *sizes]
        with Peer(peer_python, "training_step_peer.py", folder, batch, *sizes) as peer:
            peer.seconds(0)  # it has started and has written its outputs
            check_outputs(model, images[:batch], folder)
            turn_taker = TakeTurns(peer, folder)
            model.fit(images, batch_size=batch, shuffle=False, verbose=0, callbacks=[turn_taker])
    report(turn_taker.times, batch)


def report(times, batch):
    medians = {}
    for side, values in times.items():
        values = values[WARM_UP:]
        medians[side] = statistics.median(values)
        print(f"  {side:8} {medians[side]:6.1f} ms a step, {min(values):.1f} .. {max(values):.1f}; "
              f"{batch / medians[side] * 1e3:.1f} images/s")
    print(f"  PyTorch's time / ours: {medians['PyTorch'] / medians['vqzoo']:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="Python that has PyTorch")
    parser.add_argument("--turns", type=int, default=20, help="turns of each side that count")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES))
    arguments = parser.parse_args()
    print(environment())
    for name in arguments.only:
        run(name, ENTRIES[name], arguments.turns, arguments.peer)


if __name__ == "__main__":
    main()
