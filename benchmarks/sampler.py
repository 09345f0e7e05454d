"""Incremental sampling against one forward pass and the naive loop: `python -m benchmarks.sampler`.

16 images. Compares what both ways draw first; then runs forward pass and sampler in turns and
prints the medians, their ratios, and the floor of reading all weights once a position. Networks:
ten gated layers over codes out of 512; `--network pixel_snail` for 16 blocks of 256 filters with
attention after every fourth; `--network pixelcnn_plus_plus` for a PixelCNN++ of 3 blocks of 64
filters over codes out of 256, `--network pixelcnn_plus_plus_pixels` for such a one over pixels with
the mixture of ten logistics.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras import ops

from vqzoo.likelihoods import DiscretizedLogisticMixture
from vqzoo.networks import GatedPixelCNN, PixelCNNPlusPlus, PixelCNNPlusPlusPixels, PixelSNAIL
from vqzoo.sampling import SamplingOptions
from vqzoo.sampling.agreement import first_differences_are_ties
from vqzoo.sampling.compile import compiled
from vqzoo.sampling.noise import image_keys
from vqzoo.sampling.sampler import Sampler

MIXTURE = DiscretizedLogisticMixture()

NETWORKS = {
    "gated_pixelcnn": (lambda: GatedPixelCNN(512, filters=128, num_layers=10), 28),
    "pixelcnn_plus_plus": (lambda: PixelCNNPlusPlus(256), 16),
    "pixelcnn_plus_plus_pixels": (
        lambda: PixelCNNPlusPlusPixels(3, MIXTURE.num_parameters, filters=64, num_blocks=3),
        32,
    ),
    "pixel_snail": (lambda: PixelSNAIL(512, num_layers=16, attention_after=[4, 8, 12, 16]), 32),
}
"""What can be measured, and the height and width of its maps."""


def seconds(function, *arguments):
    """Wall time of one call, its result fetched."""
    start = time.perf_counter()
    ops.convert_to_numpy(function(*arguments))
    return time.perf_counter() - start


def nothing_known(network, *sides):
    """A map of zeros, all of which is to be drawn; of pixels where the network draws them."""
    channels = [network.image_channels] if hasattr(network, "image_channels") else []
    return np.zeros((*sides, *channels), "int32"), np.ones(sides, bool)


def agreement(network, likelihood, height=4, width=20, batch=4):
    """True if both ways draw the same on a lower map, where the naive loop is bearable."""
    sampler, keys = Sampler(network, likelihood), image_keys(0, np.arange(batch))
    known = nothing_known(network, batch, height, width)
    fast = sampler(keys, None, *known)
    slow = sampler(keys, None, *known, SamplingOptions(incremental=False))
    share = float(np.mean(ops.convert_to_numpy(fast) == ops.convert_to_numpy(slow)))
    ties = first_differences_are_ties(network, None, keys, fast, slow, likelihood=likelihood)
    print(f"same values: {share:.2%}; up to ties: {ties}")
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
    likelihood = MIXTURE if hasattr(network, "image_channels") else None
    if not agreement(network, likelihood):
        raise SystemExit("the two ways differ: no times")
    values, everything = nothing_known(network, arguments.batch, size, size)
    values = np.random.default_rng(0).integers(0, 256, values.shape, "int32")
    forward = compiled(network, network, jit=False)
    sampler, keys = Sampler(network, likelihood), image_keys(0, np.arange(arguments.batch))
    passes, samples = [], []
    compiling = seconds(sampler, keys, None, values, everything)
    seconds(forward, values, None)
    for _ in range(arguments.repeats):
        passes.append(seconds(forward, values, None))
        samples.append(seconds(sampler, keys, None, values, everything))
    one, sampling = statistics.median(passes), statistics.median(samples)
    naive = one * size**2
    print(f"first call, compiling: {compiling:.1f} s")
    print(f"forward pass {one:.3f} s, sampling {sampling:.3f} s: ratio {sampling / one:.2f}")
    print(f"naive loop (positions x forward) {naive:.0f} s: {naive / sampling:.0f} times slower")
    if not hasattr(network, "num_downsamplings"):  # whose coarser weights are read less often
        print(f"reading the weights once a position: {floor(network, size**2):.3f} s")


if __name__ == "__main__":
    main()
