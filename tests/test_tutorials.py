"""The tutorials run as a newcomer runs them, and each notebook holds what its script holds."""

import json
import os
import pathlib
import subprocess
import sys

import jupytext
import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "tutorials").glob("*.py"))


def run(script, folder):
    """Runs a tutorial in a folder without a screen; returns what it printed."""
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", ROOT / "tutorials" / script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_notebook_holds_what_its_script_holds(script):
    cells = [
        [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]
        for path in (script, script.with_suffix(".ipynb"))
    ]
    assert cells[0] == cells[1], f"run `jupytext --to ipynb tutorials/{script.name}`"


def test_every_notebook_has_its_script():
    assert SCRIPTS
    assert sorted((ROOT / "tutorials").glob("*.ipynb")) == [p.with_suffix(".ipynb") for p in SCRIPTS]


@pytest.mark.slow
def test_the_first_samples(tmp_path):
    output = run("01_first_samples.py", tmp_path)
    assert "(100, 28, 28, 1) uint8" in output and "(10, 7, 7) int32" in output
    real, noise = (float(output.split(start)[1].split()[0]) for start in ("real images: ", "noise: "))
    assert real < 8 < noise  # as the text says
    guesses = [line.split(" looks most like ") for line in output.splitlines() if " looks " in line]
    assert len(guesses) == 10 and sum(a.strip() == b for a, b in guesses) >= 8  # 9 were seen
    pictures = sorted(path.stem for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["completed", "edited", "reconstructions", "samples", "temperatures"]


@pytest.fixture
def photographs(tmp_path):
    """A reader's folder: sixty pictures of two classes, of several sizes and colours."""
    rng = np.random.default_rng(0)
    for i in range(60):
        path = tmp_path / "my_images" / ("cats", "dogs")[i % 2] / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = rng.integers(40, 90, size=2)
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype="uint8")).save(path)
    return tmp_path


@pytest.mark.slow
def test_training_on_ones_own_images(photographs):
    output = run("02_train_on_your_own_images.py", photographs)
    assert "54 images to train on, 6 to test, of cats, dogs" in output
    assert {path.name for path in photographs.glob("*.png")} == {
        "curves.png", "reconstructions.png", "samples.png", "usage.png",
    }  # fmt: skip
    assert (photographs / "my_model" / "manifest.json").is_file()


@pytest.mark.slow
def test_training_on_the_drawn_shapes(tmp_path):
    output = run("02_train_on_your_own_images.py", tmp_path)
    assert "1080 images to train on, 120 to test, of circle, square, triangle" in output
    used = float(output.split("codes an image; ")[1].split("%")[0])
    bits = float(output.split(" bits for each of 3072 values")[0].split()[-1])
    assert used > 50 and bits < 4  # 100 % and 2.1 were seen; plain bytes take 8


HIERARCHY = ["levels.png", "means.png", "mixed.png", "one_scene.png", "samples.png"]


@pytest.mark.slow
def test_a_hierarchy_of_ones_own_images(photographs):
    output = run("03_a_hierarchy_of_codes.py", photographs)
    assert "54 images to train on, 6 to test, of cats, dogs" in output
    assert "codes of an image: 4x4, 8x8" in output
    assert sorted(path.name for path in photographs.glob("*.png")) == HIERARCHY


@pytest.mark.slow
def test_a_hierarchy_of_the_drawn_scenes(tmp_path):
    output = run("03_a_hierarchy_of_codes.py", tmp_path)
    assert "1350 images to train on, 150 to test, of circle, square, triangle" in output
    lines = [line for line in output.splitlines() if "draws differ by" in line]
    given_class, given_top = (float(line.split()[-3]) for line in lines)
    assert given_top < given_class, "codes leave less to chance"
    times = [float(line.split(", ")[1].split()[0]) for line in output.splitlines() if " times" in line]
    # 1.6 and 31 were seen; 1 would be a level that says nothing
    assert len(times) == 2 and min(times) > 1.1


LABORATORY = ["bits.png", "codes_categorical_joint.png", "codes_categorical_uniform.png",
              "codes_quantized_marginal.png", "usage.png"]  # fmt: skip


def check_laboratory(folder, output):
    """What holds of every run: the files, six variants, and bounds that fall with more draws."""
    assert sorted(path.name for path in folder.glob("*.png")) == LABORATORY
    bounds = [float(line.split()[5]) for line in output.splitlines() if line.startswith("S = ")]
    assert len(bounds) == 3 and bounds == sorted(bounds, reverse=True)
    results = json.loads((folder / "runs/laboratory/grid.json").read_text())
    assert len(results["variants"]) == 6
    assert output.count(" of the codes below 1e-4, ") == 6
    return {name: variant["mean"] for name, variant in results["variants"].items()}


@pytest.mark.slow
def test_a_laboratory_of_ones_own_images(photographs):
    output = run("04_a_laboratory_of_discrete_vaes.py", photographs)
    assert "60 pictures of 16x16 pixels" in output
    check_laboratory(photographs, output)


@pytest.mark.slow
def test_a_laboratory_of_the_drawn_shapes(tmp_path):
    output = run("04_a_laboratory_of_discrete_vaes.py", tmp_path)
    assert "1200 pictures of 16x16 pixels" in output
    means = check_laboratory(tmp_path, output)
    # As the text says: a posterior of one code has one bound, and one that draws several.
    few = [f"bits_per_dim_of_few.{draws}.mean" for draws in (1, 100)]
    one, hundred = (means["quantized_marginal"][key] for key in few)
    assert one == hundred and means["categorical_joint"][few[1]] < means["categorical_joint"][few[0]]
    assert all(mean["bits_per_dim.1.mean"] < 8 for mean in means.values())  # plain bytes take 8
