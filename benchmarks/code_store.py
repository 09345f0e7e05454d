"""A code store of ImageNet's kind: its size, how fast maps are read, what memory that takes.

    python -m benchmarks.code_store [--images 1_280_000]

Two levels, 32x32 and 64x64 codes of 512, with the labels of 1,000 classes: 10,242 bytes an image.
Rates count images, each of which brings a map of either level; those of a store of the 32x32 maps
alone are given first. Memory is what the process alone holds, without the files it has mapped,
which the system lets go of when it needs the room.
"""

import argparse
import itertools
import re
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from vqzoo.data import CodeStore, code_batches

LEVELS = ((32, 32), (64, 64))
CODES, CLASSES, BATCH = 512, 1000, 128
BLOCK = 1024
"""Images written at once; the same ones again and again, since drawing codes takes longer."""


def write(folder, shapes, count):
    """Writes a store of random codes; returns it."""
    rng = np.random.default_rng(0)
    levels = {
        f"codes_{i}": rng.integers(CODES, size=(BLOCK, *shape), dtype="uint16")
        for i, shape in enumerate(shapes)
    }

    def batches():
        for start in range(0, count, BLOCK):
            labels = np.arange(start, min(start + BLOCK, count))
            some = {name: codes[: len(labels)] for name, codes in levels.items()}
            yield some | {"labels": labels % CLASSES}

    classes = [str(label) for label in range(CLASSES)]
    return CodeStore.write(folder, batches(), [CODES] * len(shapes), "none", classes)


def check(store):
    """Raises unless an image read by index is what was written there."""
    index = len(store) - 1
    first, last = store[index % BLOCK], store[index]
    assert last["labels"] == index % CLASSES
    for level in range(len(store.latent_shapes)):
        np.testing.assert_array_equal(first[f"codes_{level}"], last[f"codes_{level}"])


def take_rate(store, count=20_000):
    """Images a second that `take` reads in batches at random places."""
    places = np.random.default_rng(0).integers(len(store), size=(count // BATCH, BATCH))
    start = time.perf_counter()
    for indices in places:
        store.take(indices)
    return places.size / (time.perf_counter() - start)


def batch_rate(store, count=20_000):
    """Images a second in the batches that a prior is trained on."""
    batches = iter(code_batches(store, BATCH, seed=0, steps=2**20))
    next(batches)
    start = time.perf_counter()
    for _ in itertools.islice(batches, count // BATCH):
        pass
    return count // BATCH * BATCH / (time.perf_counter() - start)


def memory():
    """Bytes that this process holds itself."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024


def run(shapes, count, turns):
    """Writes one store, measures it and prints a line."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        store = write(Path(folder) / "codes", shapes, count)
        seconds = time.perf_counter() - start
        check(store)
        size = sum(path.stat().st_size for path in store.folder.iterdir())
        rates = [(take_rate(store), batch_rate(store)) for _ in range(turns)]
        take, batches = (statistics.median(side) for side in zip(*rates, strict=True))
        maps = " + ".join("x".join(map(str, shape)) for shape in shapes)
        print(
            f"{count:,} images of {maps}: {size:,} bytes in {len(store.manifest['shards'])} "
            f"shards, written and checked in {seconds:.0f} s; read by index {take:,.0f} images/s, "
            f"as training batches {batches:,.0f}; {memory() / 1e6:.0f} MB in memory",
            flush=True,
        )


def main():
    """Measures stores of 32x32 maps and of both levels, of a tenth of the images and of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000, help="images in the larger store")
    parser.add_argument("--turns", type=int, default=5, help="turns of each measurement")
    arguments = parser.parse_args()
    for shapes in (LEVELS[:1], LEVELS):
        for count in (arguments.images // 10, arguments.images):
            run(shapes, count, arguments.turns)


if __name__ == "__main__":
    main()
