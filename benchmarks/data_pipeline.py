"""Batches a second of the pipeline, beside the bare reading and what a training step takes.

    python -m benchmarks.data_pipeline

The bound reads the same examples in the same order in a plain loop: rows of the arrays by NumPy,
files by Pillow on as many threads as the pipeline has. Both give the same batches, which is
checked first; then they take turns.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

from benchmarks.measure import environment
from vqzoo.data import ArraySource, CodeStore, code_batches, training_batches
from vqzoo.data.batches import THREADS
from vqzoo.data.image_folder import FolderSource
from vqzoo.models import VQVAE

SHAPE, BATCH, SEED = (28, 28, 1), 64, 0
COUNT, FILES, CODES = 60_000, 6_400, (7, 7)
"""Images in memory and codes on the disk, images in files, and the shape of codes."""


def order(source, steps):
    """The indices that `training_batches` reads: those of a source whose labels are indices."""
    numbered = ArraySource(np.zeros((len(source), 1, 1, 1), "uint8"), np.arange(len(source)))
    return [labels for _, labels in training_batches(numbered, BATCH, SEED, steps)]


def array_ways(images, labels, steps, folder):
    source = ArraySource(images, labels)
    indices = order(source, steps)
    return training_batches(source, BATCH, SEED, steps), ((images[i], labels[i]) for i in indices)


def file_ways(images, labels, steps, folder):
    """Reads PNG files again in every pass, as for folders that do not fit into memory."""
    paths = [folder / f"{index}.png" for index in range(FILES)]
    for path, image in zip(paths, images, strict=False):
        Image.fromarray(image[..., 0]).save(path)
    source = FolderSource(paths, labels[:FILES], "files", SHAPE)
    indices = order(source, steps)

    def read(index):
        with Image.open(paths[index]) as image:
            return np.asarray(image)[..., None]

    def bound():
        with ThreadPoolExecutor(THREADS) as pool:
            for batch in indices:
                yield np.stack(list(pool.map(read, batch))), labels[batch]

    return training_batches(source, BATCH, SEED, steps), bound()


def store_ways(images, labels, steps, folder):
    codes = np.random.default_rng(0).integers(512, size=(COUNT, *CODES), dtype="int32")
    batches = [{"codes_0": codes, "labels": labels}]
    store = CodeStore.write(folder / "codes", batches, [512], "none", [str(i) for i in range(10)])
    indices = order(store, steps)
    bound = (({"codes_0": codes[i], "labels": labels[i]},) for i in indices)
    return code_batches(store, BATCH, SEED, steps), bound


def seconds(batches, count):
    start = time.perf_counter()
    for _ in itertools.islice(batches, count):
        pass
    return time.perf_counter() - start


def check_agreement(batches, bound, count):
    for ours, theirs in itertools.islice(zip(batches, bound, strict=True), count):
        if isinstance(ours, dict):
            ours, theirs = ours.values(), theirs.values()
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_equal(one, other)


def training_rate(images):
    """Images a second of stage 1 of `vqvae_fashion_mnist`, given arrays."""
    model = VQVAE(SHAPE)
    model.compile()
    model.fit(images[:BATCH], batch_size=BATCH, verbose=0)  # compiles
    start = time.perf_counter()
    model.fit(images[: 20 * BATCH], batch_size=BATCH, verbose=0)
    return 20 * BATCH / (time.perf_counter() - start)


def run(name, make_ways, arrays, turns, count, step_rate):
    with tempfile.TemporaryDirectory() as folder:
        ways = make_ways(*arrays, (turns + 2) * count, Path(folder))
        pipeline, bound = map(iter, ways)
        check_agreement(pipeline, bound, count)
        times = [(seconds(pipeline, count), seconds(bound, count)) for _ in range(turns)]
    ours, bare = (statistics.median(side) / count for side in zip(*times, strict=True))
    text = f"  {name:10} {ours * 1e3:6.2f} ms a batch, {ours / bare:5.1f} x the bound's"
    rate = BATCH / ours
    print(f"{text}; {rate:.0f} images/s, {rate / step_rate:.0f} x what training takes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7, help="turns of each side")
    arguments = parser.parse_args()
    print(environment())
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(COUNT, *SHAPE), dtype="uint8")
    labels = rng.integers(10, size=COUNT, dtype="int32")
    rate = training_rate(images)
    print(f"batches of {BATCH}, the same as the bound's; training takes {rate:.0f} images/s")
    for name, ways, count in (
        ("arrays", array_ways, 200), ("PNG files", file_ways, 40), ("code store", store_ways, 200)
    ):  # fmt: skip
        run(name, ways, (images, labels), arguments.turns, count, rate)


if __name__ == "__main__":
    main()
