"""Time of one training step of `VectorQuantizerEMA`, beside PyTorch's and the products alone.

    python -m benchmarks.quantizer --peer PEER/bin/python

The peer is a Python with torch and vector-quantize-pytorch (`pip install torch==2.13.0
vector-quantize-pytorch`). A step is forward, backward and codebook update, compiled as in
`fit`. All take turns in one run, each on the machine for itself; times are medians.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from keras import ops

from benchmarks.measure import Peer, environment
from vqzoo.layers import VectorQuantizerEMA
from vqzoo.layers.nearest_code import block_rows

SIZES = {  # features (batch, height, width, dim), number of codes, rounds
    "N=32768 K=512 D=64": ((32, 32, 32, 64), 512, 25),
    "N=16384 K=8192 D=256": ((16, 32, 32, 256), 8192, 5),
}


def our_step(features, codebook):
    """The step as a function without arguments, and the layer."""
    layer = VectorQuantizerEMA(*codebook.shape)
    layer.build(features.shape)
    layer.codebook.assign(codebook)
    layer.sums.assign(codebook)
    features = tf.Variable(features)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = layer(features, training=True)
            loss = tf.reduce_sum(outputs["vectors"]) + sum(layer.losses)
        return outputs["codes"], tape.gradient(loss, features)

    return step, layer


def product_step(features, codebook):
    """The bound: the same blocks of products of vectors and codes, and nothing else."""
    rows = tf.Variable(features.reshape(-1, codebook.shape[1]))
    columns, size = tf.Variable(codebook.T), block_rows(len(codebook))

    @tf.function
    def step():
        blocks = tf.reshape(rows, (-1, size, rows.shape[1]))
        return ops.map(lambda block: tf.matmul(block, columns)[:, 0], blocks)

    return step


def seconds(function):
    """Of the second of two calls: the first brings caches and memory back to this process."""
    tf.nest.map_structure(lambda tensor: tensor.numpy(), function())
    start = time.perf_counter()
    tf.nest.map_structure(lambda tensor: tensor.numpy(), function())
    return time.perf_counter() - start


def second_step(peer):
    """The same of the other side."""
    peer.seconds()
    return peer.seconds()


def make_inputs(shape, num_embeddings, folder):
    """Clustered features as an encoder makes them, and codes among them."""
    rng = np.random.default_rng(0)
    dim = shape[-1]
    centres = rng.normal(size=(num_embeddings, dim))
    chosen = centres[rng.integers(num_embeddings, size=shape[:-1])]
    features = (chosen + 0.3 * rng.normal(size=shape)).astype("float32")
    codebook = (centres + 0.3 * rng.normal(size=centres.shape)).astype("float32")
    np.save(folder / "features.npy", features)
    np.save(folder / "codebook.npy", codebook)
    return features, codebook


def check_agreement(codes, codebook, folder, peers):
    for which in peers:
        same = np.mean(codes == np.load(folder / f"codes_{which}.npy"))
        print(f"  same codes as {which}: {same:.3%}")
        assert same > 0.9999, "only ties within rounding may differ"
    moved = np.load(folder / "codebook_blocks.npy")
    print(f"  largest difference of the codebooks after it: {np.abs(moved - codebook).max():.1e}")
    np.testing.assert_allclose(codebook, moved, atol=1e-4)


def run(name, shape, num_embeddings, rounds, peer_python):
    print(name)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        features, codebook = make_inputs(shape, num_embeddings, folder)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        step, layer = our_step(features, codebook)
        codes = step()[0].numpy().reshape(-1)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        script = "quantizer_peer.py"
        peers = {which: Peer(peer_python, script, which, folder) for which in ("library", "blocks")}
        ways = {"vqzoo": lambda: seconds(step)}
        bare = product_step(features, codebook)
        ways["products"] = lambda: seconds(bare)
        ways |= {which: partial(second_step, peer) for which, peer in peers.items()}
        times = {way: [] for way in ways}
        moved = ops.convert_to_numpy(layer.codebook)
        for turn in range(rounds + 2):  # two for warming up
            for way, function in ways.items():
                time.sleep(0.05)  # the threads of the one before come to rest
                times[way].append(function())
            if turn == 0:
                check_agreement(codes, moved, folder, peers)
        for peer in peers.values():
            peer.close()
    median = {way: statistics.median(values[2:]) for way, values in times.items()}
    for way, value in median.items():
        lowest = min(times[way][2:])
        print(f"  {way:9} {value * 1e3:8.1f} ms (best {lowest * 1e3:.1f}): "
              f"{value / median['vqzoo']:.2f} x ours")
    print(f"  ours / products: {median['vqzoo'] / median['products']:.2f}")
    block = block_rows(num_embeddings) * num_embeddings
    print(f"  distances at once {block * 4 / 2**20:.0f} MiB, "
          f"all would be {codes.size * num_embeddings * 4 / 2**20:.0f} MiB; "
          f"peak memory grew by {grown / 2**10:.0f} MiB in the first step")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="Python that has the PyTorch packages")
    arguments = parser.parse_args()
    print(environment())
    for name, size in SIZES.items():
        run(name, *size, arguments.peer)


if __name__ == "__main__":
    main()
