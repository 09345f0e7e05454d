"""What `vqzoo.data` and the reading of configurations take."""

import itertools

import numpy as np
from hypothesis import strategies as st
from tests.data.image_files import write_folder
from tests.fuzz.case import Case
from tests.fuzz.part_cases import FLAG, SEED, SMALL, optional

from vqzoo import config as configs
from vqzoo import data

NAMES = ["boot", "bag", "coat"]
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 1), dtype="uint8")
LABELS = np.arange(6) % 3
CODES = {"codes_0": np.ones((6, 2, 3), "int32"), "labels": LABELS}

WORDS = st.none() | st.integers(-1, 9) | st.floats() | st.text(max_size=3) | st.booleans()
TREES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)
"""What YAML may hold."""


def data_cases(folder):
    """Every name of `vqzoo.data`, on files below `folder`, which is made."""
    files = [f"{name}/{i}.png" for name in NAMES for i in range(9)]
    write_folder(folder / "images", files, (8, 12, 1))
    store = data.CodeStore.write(folder / "codes", [CODES], [4], "hash", NAMES)
    source, number = data.ArraySource(IMAGES, LABELS, NAMES), itertools.count()
    data_config = {"image_shape": [8, 12, 1], "class_names": NAMES}
    indices, index = {"indices": st.just([0, 5])}, {"index": st.integers(-6, 5)}
    steps = {"batch_size": SMALL, "seed": SEED, "steps": st.integers(2, 9)}
    steps["start_step"] = st.integers(0, 2)
    names, a_folder = optional(st.just(NAMES)), {"folder": st.just(folder / "images")}
    arrays = {"images": st.just(IMAGES), "labels": optional(st.just(LABELS)), "class_names": names}
    sections = st.sampled_from(["image_shape", "splits", "name", "class_names", "crop"])
    written = {
        "batches": st.just([CODES]),
        "codebook_sizes": st.just([4]),
        "tokenizer_hash": st.just("hash"),
        "class_names": names,
        "config": optional(st.just({"a": 1})),
    }

    def write(**arguments):
        return data.CodeStore.write(folder / f"codes{next(number)}", **arguments)

    def first_batch(function, **arguments):
        return next(iter(function(**arguments)), None)

    return {
        "data.ArraySource": Case(data.ArraySource, arrays),
        "data.ArraySource.take": Case(source.take, indices),
        "data.ArraySource[]": Case(lambda index: in_range(source, index), index),
        "data.CodeStore": Case(
            data.CodeStore, {"folder": st.just(folder / "codes")}, paths=("folder",)
        ),
        "data.CodeStore.check_tokenizer": Case(
            store.check_tokenizer, {"tokenizer_hash": st.just("hash")}
        ),
        "data.CodeStore.take": Case(store.take, indices),
        "data.CodeStore.write": Case(write, written, fixed=("tokenizer_hash",)),
        "data.CodeStore[]": Case(lambda index: in_range(store, index), index),
        "data.code_batches": Case(
            lambda **arguments: first_batch(data.code_batches, **arguments),
            {"store": st.just(store)} | steps,
            sizes=("batch_size",),
        ),
        "data.eval_batches": Case(
            lambda **arguments: first_batch(data.eval_batches, **arguments),
            {"source": st.just(source), "batch_size": SMALL},
            sizes=("batch_size",),
        ),
        "data.folder_class_names": Case(
            data.folder_class_names,
            a_folder | {"class_names": names},
            paths=("folder",),
        ),
        "data.open_source": Case(
            data.open_source,
            a_folder
            | {
                "data_config": st.sampled_from([data_config, data_config | {"crop": [4, 8]}]),
                "split": st.sampled_from(["train", "test"]),
                "skip_bad": FLAG,
                "whole": FLAG,
            },
            wrong={"data_config": st.dictionaries(sections, TREES) | TREES},
            paths=("folder",),
            called={"data_config": "data"},
        ),
        "data.read_image": Case(
            data.read_image,
            {
                "path": st.just(folder / "images/bag/0.png"),
                "image_shape": optional(st.just((8, 12, 1))),
            },
            paths=("path",),
        ),
        "data.training_batches": Case(
            lambda **arguments: first_batch(data.training_batches, **arguments),
            {"source": st.just(source), "flip": FLAG, "labels": FLAG} | steps,
            sizes=("batch_size",),
        ),
        "data.training_source": Case(
            data.training_source,
            {"source": st.just(source), "crop": optional(st.just((4, 8)))},
        ),
    }


def in_range(sequence, index):
    """`sequence[index]`, but for the IndexError that ends a loop over it."""
    try:
        return sequence[index]
    except IndexError:
        return None


def config_cases(right, path):
    """Reading and checking configurations: a right one, and its file."""
    sections = sorted(configs.SECTIONS)
    whole = {"paper": {}, "smoke": {}, "start_from": {"name": "a_model"}, **right}

    def check_with(section, value):
        configs.check({**right, "smoke": {}, section: value})

    cases = {
        f"config.check {section}": Case(
            lambda value, section=section: check_with(section, value),
            {"value": st.just(whole[section])},
            wrong={"value": TREES},
            called={"value": section},
        )
        for section in sections
    }
    for section, key in (("training", "prior"), ("prior", "network")):
        cases[f"config.check {section}.{key}"] = Case(
            lambda value, section=section, key=key: check_with(
                section, {**right[section], key: value}
            ),
            {"value": st.just(right[section][key])},
            wrong={"value": TREES},
            called={"value": f"{section}.{key}"},
        )
    return cases | {
        "config.load_config": Case(
            configs.load_config, {"name": st.just(path)}, paths=("name",), sizes=("name",)
        )
    }
