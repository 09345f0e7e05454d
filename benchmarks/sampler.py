"""Incremental sampling against one forward pass and the naive loop: `python -m benchmarks.sampler`.

16 images of codes out of 512. Compares the codes of both ways first; then runs forward pass and
sampler in turns and prints the medians, their ratios, and the floor of reading all weights once a
position. `--network pixel_snail` for 16 blocks of 256 filters with attention after every fourth.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras import ops

from vqzoo.networks import GatedPixelCNN, PixelSNAIL
from vqzoo.sampling import SamplingOptions
from vqzoo.sampling.agreement import first_differences_are_ties
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.sampler import Sampler

NETWORKS = {
    "gated_pixelcnn": (lambda: GatedPixelCNN(512, filters=128, num_layers=10), 28),
    "pixel_snail": (lambda: PixelSNAIL(512, num_layers=16, attention_after=[4, 8, 12, 16]), 32),
}
"""What can be measured, and the height and width of its maps."""


def seconds(function, *arguments):
    """Wall time of one call, its result fetched."""
    start = time.perf_counter()
    ops.convert_to_numpy(function(*arguments))
    return time.perf_counter() - start


def agreement(network, height=4, width=20, batch=4):
    """True if both ways draw the same codes on a lower map, where the naive loop is bearable."""
    sampler, keys = Sampler(network), image_keys(0, np.arange(batch))
    known = np.zeros((batch, height, width), "int32"), np.ones((batch, height, width), bool)
    fast = sampler(keys, None, *known)
    slow = sampler(keys, None, *known, SamplingOptions(incremental=False))
    share = float(np.mean(ops.convert_to_numpy(fast) == ops.convert_to_numpy(slow)))
    ties = first_differences_are_ties(network, None, keys, fast, slow)
    print(f"same codes: {share:.2%}; up to ties of perturbed logits: {ties}")
    return ties


def floor(network, positions):
    """Seconds to read the weights of a step once for each position, at the pace of a sum."""
    # The vertical stack is computed once a row, vectors of codes and classes are looked up.
    once_a_row = ("vertical", "embeddings", "class_vectors", "features")
    read = [w for w in network.weights if not w.name.startswith(once_a_row)]
    megabytes = sum(np.prod(w.shape) for w in read) * 4 / 1e6
    weights, total = [w.value for w in read], compiled(lambda xs: sum(map(ops.sum, xs)), network)
    one = statistics.median(seconds(total, weights) for _ in range(20))
    print(f"weights of a step: {megabytes:.1f} MB, summed in {one * 1e3:.2f} ms")
    return one * positions


def main():
    """Checks agreement, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="gated_pixelcnn")
    parser.add_argument("--size", type=int, help="height and width of the map")
    parser.add_argument("--batch", type=int, default=16, help="images at a time")
    parser.add_argument("--repeats", type=int, default=7, help="times each way is run")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    make, size = NETWORKS[arguments.network]
    network, size = make(), arguments.size or size
    if not agreement(network):
        raise SystemExit("the codes differ: no times")
    codes = np.random.default_rng(0).integers(0, 512, (arguments.batch, size, size), "int32")
    forward = compiled(network, network, jit=False)
    sampler, keys = Sampler(network), image_keys(0, np.arange(arguments.batch))
    everything = np.ones(codes.shape, bool)
    passes, samples = [], []
    compiling = seconds(sampler, keys, None, codes, everything)
    seconds(forward, codes, None)
    for _ in range(arguments.repeats):
        passes.append(seconds(forward, codes, None))
        samples.append(seconds(sampler, keys, None, codes, everything))
    one, sampling = statistics.median(passes), statistics.median(samples)
    naive = one * size**2
    print(f"first call, compiling: {compiling:.1f} s")
    print(f"forward pass {one:.3f} s, sampling {sampling:.3f} s: ratio {sampling / one:.2f}")
    print(f"naive loop (positions x forward) {naive:.0f} s: {naive / sampling:.0f} times slower")
    print(f"reading the weights once a position: {floor(network, size**2):.3f} s")


if __name__ == "__main__":
    main()
