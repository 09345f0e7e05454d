"""Incremental sampling against one forward pass and the naive loop: `python -m benchmarks.sampler`.

28 x 28 codes of 512, 10 gated layers of 128 filters, 16 images. Compares the codes of both ways
first; then runs forward pass and sampler in turns and prints the medians and their ratios.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras import ops

from vqzoo.networks import GatedPixelCNN
from vqzoo.sampling import SamplingOptions
from vqzoo.sampling.agreement import first_differences_are_ties
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.sampler import Sampler


def seconds(function, *arguments):
    """Wall time of one call, its result fetched."""
    start = time.perf_counter()
    ops.convert_to_numpy(function(*arguments))
    return time.perf_counter() - start


def agreement(network, height=6, width=28, batch=4):
    """True if both ways draw the same codes on a lower map, where the naive loop is bearable."""
    sampler, keys = Sampler(network), image_keys(0, np.arange(batch))
    known = np.zeros((batch, height, width), "int32"), np.ones((batch, height, width), bool)
    fast = sampler(keys, None, *known)
    slow = sampler(keys, None, *known, SamplingOptions(incremental=False))
    share = float(np.mean(ops.convert_to_numpy(fast) == ops.convert_to_numpy(slow)))
    ties = first_differences_are_ties(network, None, keys, fast, slow)
    print(f"same codes: {share:.2%}; up to ties of perturbed logits: {ties}")
    return ties


def main():
    """Checks agreement, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=28, help="height and width of the map")
    parser.add_argument("--batch", type=int, default=16, help="images at a time")
    parser.add_argument("--repeats", type=int, default=7, help="times each way is run")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    network = GatedPixelCNN(512, filters=128, num_layers=10)
    if not agreement(network):
        raise SystemExit("the codes differ: no times")
    shape = (arguments.batch, arguments.size, arguments.size)
    codes = np.random.default_rng(0).integers(0, 512, shape).astype("int32")
    forward = compiled(network, network, jit=False)
    sampler, keys = Sampler(network), image_keys(0, np.arange(arguments.batch))
    everything = np.ones(shape, bool)
    passes, samples = [], []
    compiling = seconds(sampler, keys, None, codes, everything)
    seconds(forward, codes, None)
    for _ in range(arguments.repeats):
        passes.append(seconds(forward, codes, None))
        samples.append(seconds(sampler, keys, None, codes, everything))
    one, sampling = statistics.median(passes), statistics.median(samples)
    naive = one * arguments.size**2
    print(f"first call, compiling: {compiling:.1f} s")
    print(f"forward pass {one:.3f} s, sampling {sampling:.3f} s: ratio {sampling / one:.2f}")
    print(f"naive loop (positions x forward) {naive:.0f} s: {naive / sampling:.0f} times slower")


if __name__ == "__main__":
    main()
