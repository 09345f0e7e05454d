"""Every wrong use of every command: one line, exit code 1 or 2, and nothing half written."""

import json
import math
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vqzoo import config as configs
from vqzoo import progress
from vqzoo.cli.main import main

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 12), dtype="uint8")


def png_header(width, height):
    """A PNG file of that size as far as its header goes, and no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


def png_chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def write_pictures(folder):
    """Good pictures in `good/`, and of each bad kind one, called after what is wrong with it."""
    Image.fromarray(PIXELS).save(folder / "good.png")
    content = (folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    (folder / "zero.png").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "bomb.png").write_bytes(png_header(60_000, 60_000))
    (folder / "large.png").write_bytes(png_header(12_000, 10_000))
    Image.fromarray(PIXELS.astype("uint16") * 256).save(folder / "sixteen.png")
    Image.fromarray(np.stack([PIXELS] * 3, axis=-1)).save(folder / "colour.png")
    Image.fromarray(PIXELS.T.copy()).save(folder / "turned.png")
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    frames[0].save(folder / "animated.png", save_all=True, append_images=frames[1:])
    Image.new("L", (6, 4), 255).save(folder / "mask.png")
    Image.new("L", (24, 16), 255).save(folder / "big_mask.png")
    for name, count in (("good", 12), ("one", 1), ("empty", 0)):
        (folder / name).mkdir()
        for i in range(count):
            Image.fromarray(np.roll(PIXELS, i)).save(folder / name / f"{i}.png")
    for name in ("boot", "zebra"):
        (folder / "classes" / name).mkdir(parents=True)
        for i in range(9):
            Image.fromarray(PIXELS + np.uint8(i)).save(folder / "classes" / name / f"{i}.png")
    shutil.copytree(folder / "classes", folder / "mixed")
    shutil.copy(folder / "good.png", folder / "mixed" / "lone.png")


def write_models(folder, saved):
    """Copies of the model `saved`, each damaged in another way."""
    kinds = ("tiny", "broken", "list", "newer", "nameless", "outside", "odd", "config", "results")
    for kind in kinds:
        shutil.copytree(saved, folder / kind)
    manifest = json.loads((saved / "manifest.json").read_text())
    (folder / "broken/manifest.json").write_bytes(b"{")
    (folder / "list/manifest.json").write_text("[1]")
    (folder / "newer/manifest.json").write_text(json.dumps(manifest | {"format_version": 9}))
    files = {key: value for key, value in manifest["files"].items() if key != configs.CONFIG_FILE}
    (folder / "nameless/manifest.json").write_text(json.dumps(manifest | {"files": files}))
    outside = {"../x": {"sha256": "0"}}
    (folder / "outside/manifest.json").write_text(json.dumps(manifest | {"files": outside}))
    (folder / "odd/manifest.json").write_text(json.dumps(manifest | {"tokenizer_hash": 5}))
    (folder / "config/config.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "results/results.json").write_text("{")


YAMLS = {
    "bytes": b"\xff\xfedata: {}",
    "list": b"- 1\n- 2\n",
    "scalar": b"5",
    "empty": b"",
    "open": b"data: {",
    "date": b"data: 2020-99-99",
    "deep": b"[" * 5000,
    "self": b"data: &a {name: *a}",
}
"""Files that hold no configuration, by what they hold instead."""

CHANGES = {
    "nan_rate": {"training": {"prior": {"learning_rate": float("nan")}}},
    "inf_rate": {"training": {"autoencoder": {"learning_rate": float("inf")}}},
    "no_steps": {"training": {"autoencoder": {"steps": 0}}},
    "negative_steps": {"training": {"prior": {"steps": -5}}},
    "no_batch": {"training": {"prior": {"batch_size": 0}}},
    "huge_seed": {"training": {"prior": {"seed": 2**80}}},
    "warmup": {"training": {"prior": {"warmup_steps": -1}}},
    "optimizer": {"training": {"prior": {"optimizer": "adamm"}}},
    "schedule": {"training": {"autoencoder": {"schedule": "cosin"}}},
    "decay": {"autoencoder": {"decay": 2}},
    "filters": {"autoencoder": {"filters": -8}},
    "nan_cost": {"autoencoder": {"commitment_cost": float("nan")}},
    "kernel": {"prior": {"network": {"kernel_size": 4}}},
    "dropout": {"prior": {"network": {"dropout": 1.5}}},
    "unknown": {"autoencoder": {"filtres": 8}},
    "shape": {"data": {"image_shape": [8, 12, 0]}},
    "stride": {"data": {"image_shape": [9, 12, 1]}},
    "size": {"data": {"image_shape": [16, 16, 1]}},
    "twice": {"data": {"class_names": ["a", "a"]}},
    "numbers": {"data": {"class_names": [1, 2]}},
}
"""What is changed in a right configuration, by the name of the file."""


@pytest.fixture(scope="module")
def prepared(tiny_folder, tiny_yaml, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    write_pictures(folder)
    write_models(folder, tiny_folder)
    for name, content in YAMLS.items():
        (folder / f"{name}.yaml").write_bytes(content)
    right = configs.read_config(tiny_yaml) | {"smoke": {}}
    for name, change in {"right": {}, **CHANGES}.items():
        (folder / f"{name}.yaml").write_text(configs.dump(configs.merge(right, change)))
    (folder / "folder.yaml").mkdir()
    return folder


@pytest.fixture
def work(prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    return prepared


def tree(folder):
    """Every file by its size and time of change, but for the lock of a run that could not start."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


PICTURES = {
    "cut.png": "cut.png: not readable as an image",
    "zero.png": "zero.png: not readable as an image",
    "text.png": "text.png: not readable as an image",
    "bomb.png": "bomb.png: ",
    "large.png": "large.png: ",
    "sixteen.png": "sixteen.png: pixels must be 8-bit",
    "colour.png": "colour.png: a grey image is wanted",
    "turned.png": "turned.png: images must be 8 pixels high",
    "animated.png": "animated.png: one picture is wanted",
    "empty": "no readable image in empty",
}
MODELS = {
    "broken": "is not a whole manifest",
    "list": "is not a whole manifest",
    "newer": "has format version 9",
    "nameless": "must name config.yaml",
    "outside": "must name files of its own folder",
    "odd": "codes of another autoencoder",
    "config": "config.yaml is ",
}
OUTPUTS = {"/proc/x/y": "", "good.png/x": "good.png' is a file"}

USES = [
    *((["reconstruct", "tiny", name], 1, text) for name, text in PICTURES.items()),
    *((["encode", "tiny", name], 1, text) for name, text in PICTURES.items()),
    *((["complete", "tiny", name, "--box", "0,0,4,4"], 1, text) for name, text in PICTURES.items()),
    *((["export", name, "served"], 1, text) for name, text in MODELS.items()),
    (["sample", "broken"], 1, "is not a whole manifest"),
    (["decode", "nameless", "good.png"], 1, "must name config.yaml"),
    (["describe", "results"], 1, "results.json is damaged"),
    (["describe", "config"], 1, "config.yaml is not YAML"),
    (["describe", "empty"], 2, "no model named 'empty'"),
    (["describe", "good.png"], 2, "no model named 'good.png'"),
    (["describe"], 2, "the following arguments are required: NAME"),
    (["list", "a", "b"], 2, "unrecognized arguments: b"),
    (["verify", "a"], 2, "unrecognized arguments: a"),
    (["sample", "tiny", "--num", "1.5"], 2, "--num: must be a whole number"),
    (["sample", "tiny", "--num", "9" * 30], 2, "holds at most 10000 images"),
    (["sample", "tiny", "--seed", "4294967296"], 2, "--seed: must be a whole number in"),
    (["sample", "tiny", "--temperature", "nan"], 2, "--temperature: must be a number above 0"),
    (["sample", "tiny", "--temperature", "inf"], 2, "--temperature: must be a number above 0"),
    (["sample", "tiny", "--top-k", "x"], 2, "--top-k: must be a whole number"),
    (["sample", "tiny", "--keep", "0.5"], 2, "--keep: needs a --critic"),
    (["sample", "tiny", "--keep", "2", "--critic", "x"], 2, "--keep: must be a number above 0"),
    (["sample", "tiny", "--critic", "x"], 1, "must be a classifier of the package or a folder"),
    (["evaluate", "vqvae2_imagenet", "--neighbours", "n.png"], 2, "no weights for its prior"),
    (["sample", "tiny", "--output", "/proc/x/y.png"], 1, "/proc/x"),
    (["reconstruct", "tiny", "good.png", "--output", "/proc/x"], 1, "/proc/x"),
    (["encode", "tiny", "good.png", "--output", "/proc/x/c.npz"], 1, "/proc/x"),
    (["export", "tiny", "/proc/x"], 1, "/proc/x"),
    (["complete", "tiny", "good", "--mask", "mask.png"], 1, "`mask` must be bool (12, 8, 12)"),
    (["complete", "tiny", "good", "--mask", "big_mask.png"], 1, "big_mask.png must be 8 pixels"),
    (["complete", "tiny", "good", "--mask", "empty"], 1, "empty is no readable image"),
    (["complete", "tiny", "good", "--box", "0,0,999999999999,1"], 2, "must lie inside 8 rows"),
    (["complete", "tiny", "good", "--box", "nan,0,1,1"], 2, "must be top,left,height,width"),
    (["decode", "tiny", "empty"], 1, "empty"),
    (["decode", "tiny", "good.png"], 1, "good.png is not a whole file"),
    (["evaluate", "tiny", "--data", "empty"], 1, "empty"),
    (["evaluate", "tiny", "--data", "classes"], 1, "Received: ['zebra']"),
    (["evaluate", "tiny", "--critic", "x"], 2, "--keep-curve and --critic: one needs the other"),
    (["evaluate", "tiny", "--judge", "x", "--data", "good"], 1, "must be a classifier of the"),
    (["evaluate", "tiny", "--features", "nope"], 1, "must be a classifier of the package"),
    (["evaluate", "tiny", "--features", "nope.tflite"], 1, "must be a network or a file"),
    (["evaluate", "tiny", "--neighbours", "n.gif"], 2, "must be a file that ends in .png"),
    (["evaluate", "tiny", "--samples", "0"], 2, "--samples: must be a whole number of 1 or more"),
    (["evaluate", "tiny", "--data", "mixed"], 1, "all in class folders or all outside"),
    (["train", "nowhere.yaml"], 2, "there is no file or folder 'nowhere.yaml'"),
    (["train", "folder.yaml"], 1, "must be an existing .yaml file"),
    (["train", "right.yaml", "--data", "nowhere"], 2, "there is no file or folder 'nowhere'"),
    (["train", "right.yaml", "--data", "empty"], 1, "empty: no images"),
    (["train", "right.yaml", "--data", "good.png"], 1, "good.png"),
    (["train", "right.yaml", "--data", "one"], 1, "one: no images for the train split"),
    (["train", "right.yaml", "--data", "mixed"], 1, "all in class folders or all outside"),
    (["train", "size.yaml", "--data", "good"], 1, "images must be 16 pixels high and 16 wide"),
    (["train", "right.yaml", "--data", "good", "--folder", "good.png"], 2, "is a file"),
    (["train", "right.yaml", "--data", "good", "--folder", ""], 2, "must be a path"),
    (["train", "right.yaml", "--data", "good", "--folder", "/proc/x"], 1, "/proc/x cannot be"),
    *((["train", f"{name}.yaml"], 1, f"{name}.yaml ") for name in YAMLS),
    *(
        (["train", f"{name}.yaml", "--data", "good"], 1, "`")
        for name in CHANGES
        if name != "size"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), USES, ids=lambda value: str(value)[:60])
def test_wrong_use_is_one_line_and_writes_nothing(
    work, capfd, monkeypatch, arguments, code, message
):
    monkeypatch.setattr(progress, "QUIET_SECONDS", math.inf)  # whatever else the machine does
    before = tree(work)
    assert main(arguments) == code
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"vqzoo {arguments[0]}: error: ") and message in line
    assert tree(work) == before


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "size"])
def test_a_wrong_configuration_names_the_key(work, capfd, name):
    key = CHANGES[name]
    while isinstance(key, dict):
        ((last, key),) = key.items()
    main(["train", f"{name}.yaml", "--data", "good"])
    assert f"{last}`" in capfd.readouterr().err
