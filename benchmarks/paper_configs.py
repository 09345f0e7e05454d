"""An entry of a paper's own sizes at full resolution, on two cores: `NAME FOLDER`.

The autoencoder has its full width, the prior a quarter of it. Tiled photographs are the images; a
few steps of every stage are trained in a process that is killed twice and started again; another
one samples an image end to end and exports the model. What is found goes into
`FOLDER/results.json`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from benchmarks.shapes_only import shapes_only
from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.data import open_source
from vqzoo.data.image_file import read_image
from vqzoo.evaluation.pictures import save_png
from vqzoo.files import write_json
from vqzoo.training import results
from vqzoo.training.checkpoints import Checkpoints
from vqzoo.training.recipe import Recipe
from vqzoo.training.run_folder import RunFolder

ENTRIES = ("vqvae2_imagenet_paper", "vqvae2_ffhq_paper")
PHOTOGRAPHS = Path(__file__).parents[1] / "pretrained" / "vqvae2_imagenet" / "examples"
PRIOR_SHARE = 4
"""By what the prior's widths are divided, so that a process stays below 6 GiB."""
TRAIN_IMAGES, STEPS = 2, {"autoencoder": 6, "prior": 3}
"""Images, and optimiser steps of a stage: three checkpoints of each, at every pass over them."""
KILLS = ("autoencoder/step_00000002", "prior_0/step_00000001")
"""Checkpoints after whose appearance the training process is killed."""


def reduced(name):
    """The entry's configuration with a narrow prior, and a few steps of one image a stage."""
    config = configs.load_config(name)
    del config["smoke"]
    config["data"].pop("crop", None)  # the images have the model's size
    for level in config["prior"]["levels"]:
        for part in level.values():
            part["filters"] //= PRIOR_SHARE
            part["residual_filters"] //= PRIOR_SHARE
    for stage, settings in configs.stages(config).items():
        settings.update(batch_size=1, steps=STEPS[stage.split("_")[0]])
    return config


def write_tiles(folder, side, class_names):
    """PNG files of `side` x `side` pixels in `folder/{train,test}`, photographs side by side."""
    photographs = [read_image(path) for path in sorted(PHOTOGRAPHS.glob("*.webp"))]
    tiles = side // len(photographs[0])
    for split, count in (("train", TRAIN_IMAGES), ("test", 1)):
        for i in range(count):
            place = folder / split / (class_names[i] if class_names else "")
            place.mkdir(parents=True, exist_ok=True)
            order = np.random.default_rng([len(split), i]).permutation(len(photographs))
            chosen = np.resize(order, (tiles, tiles))
            rows = [np.concatenate([photographs[j] for j in row], axis=1) for row in chosen]
            save_png(place / f"{i}.png", np.concatenate(rows))


def images_of(config, folder, split):
    return open_source(config["data"], split, folder / "images")


def train(folder):
    """What a process of the run does: whatever is left to train."""
    config = configs.load_config(folder / "config.yaml")
    images = {split: images_of(config, folder, split) for split in ("train", "test")}
    with RunFolder(folder / "run") as run:
        Recipe(run.path, config, images).run()


def use(folder):
    """Samples an image from the trained model, exports it, and compares what it answers."""
    import tensorflow as tf

    model = zoo.load(folder / "run")
    start = time.monotonic()
    sample = model.sample(1, labels=model.class_names and model.class_names[0], seed=0)
    seconds = time.monotonic() - start
    save_png(folder / "sample.png", sample[0])
    image = images_of(model.config, folder, "test").take([0])["image"]
    exported = tf.saved_model.load(str(model.export(folder / "export")))
    answer = exported.signatures["reconstruct"](images=tf.constant(image))["images"].numpy()
    difference = np.abs(answer.astype("int16") - model.reconstruct(image)).max()
    assert difference <= 1, "only rounding may differ"
    found = {"sample_shape": list(sample.shape), "sample_seconds": seconds}
    write_json(folder / "use.json", found | {"signatures": sorted(exported.signatures)})


def in_process(part, folder, until=None):
    """Runs a part as a process of its own, to its end or until a file appears.

    Returns:
        Pair of the exit status (-9: killed) and its highest resident memory in GiB.
    """
    command = [sys.executable, "-m", __spec__.name, "--part", part, "-", str(folder)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1])
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT  # seen, and left for `wait4`
    while until and not until.exists() and not os.waitid(os.P_PID, process.pid, ended):
        time.sleep(0.05)
    if until:
        process.kill()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss / 2**20


def parameters(config):
    """Number of weights by part, counted on shapes alone."""
    with shapes_only():
        model = zoo.build(config)
    levels = {f"prior_{i}": level.count_params() for i, level in enumerate(model.prior.levels)}
    return {"autoencoder": model.autoencoder.count_params(), **levels}


def seconds_per_step(folder):
    """Of a stage's last interval between checkpoints: with validation and one checkpoint."""
    checkpoints = sorted(folder.glob("step_*"))[-2:]
    states = [json.loads((path / "checkpoint.json").read_text()) for path in checkpoints]
    steps = [int(path.name.split("_")[1]) for path in checkpoints]
    seconds = [state["notes"]["seconds"] for state in states]
    return (seconds[1] - seconds[0]) / (steps[1] - steps[0])


def run(name, folder):
    """The whole of it; returns what `results.json` holds."""
    config = reduced(name)
    folder.mkdir(parents=True)
    side, class_names = config["data"]["image_shape"][0], config["data"].get("class_names")
    write_tiles(folder / "images", side, class_names)
    (folder / "config.yaml").write_text(configs.dump(config), encoding="utf-8")
    checkpoints = folder / "run" / "checkpoints"
    starts = [in_process("train", folder, checkpoints / kill) for kill in KILLS]
    starts.append(in_process("train", folder))
    used = in_process("use", folder)
    assert [status for status, _ in (*starts, used)] == [-9, -9, 0, 0], (starts, used)
    found = {
        "entry": name,
        "prior_width": f"1/{PRIOR_SHARE}",
        "parameters": parameters(config),
        "parameters_at_full_width": parameters(configs.load_config(name)),
        "seconds_per_step": {
            stage: seconds_per_step(checkpoints / stage) for stage in configs.stages(config)
        },
        "peak_memory_gib": {"train": max(memory for _, memory in starts), "use": used[1]},
        **json.loads((folder / "use.json").read_text()),
        "machine": results.machine(),
        "versions": results.versions(),
        "commit": results.commit(),
    }
    write_json(folder / "results.json", found)
    return found


def table_rows(found):
    """Rows of the page's table: part, weights at full width, weights here, seconds a step."""
    here, seconds = found["parameters"], found["seconds_per_step"]
    return [
        f"| `{part}` | {whole:,} | {here[part]:,} | {seconds[part]:.1f} |"
        for part, whole in found["parameters_at_full_width"].items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help=" or ".join(ENTRIES))
    parser.add_argument("folder", type=Path, help="new folder for all files")
    parser.add_argument("--part", choices=("train", "use"), help="what `run` starts by itself")
    arguments = parser.parse_args()
    if arguments.part:
        {"train": train, "use": use}[arguments.part](arguments.folder)
    else:
        found = run(arguments.name, arguments.folder)
        print(*table_rows(found), sep="\n")
        print(found["peak_memory_gib"], found["sample_seconds"])


if __name__ == "__main__":
    main()
