"""The package under JAX, in an environment of its own in which TensorFlow is not installed."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from keras import ops
from tests import golden
from tests.integration import backend_answers, tiny_run
from tests.integration.weights_of_run import weights_of

import vqzoo
from vqzoo import zoo
from vqzoo.sampling.agreement import TIE, first_differences_are_ties
from vqzoo.sampling.noise import image_keys

ROOT = pathlib.Path(__file__).parents[2]
INSTALL = re.search("```bash\n(.*?)```", (ROOT / "docs" / "jax.md").read_text(), re.DOTALL)[1]


def test_the_page_installs_what_the_package_needs_without_tensorflow():
    setup = configparser.ConfigParser(inline_comment_prefixes="#")
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].strip().splitlines()
    needed = {re.match(r"[\w-]+", line)[0] for line in lines}
    listed = INSTALL.splitlines()[1].partition(" -q ")[2].split()
    assert listed == sorted({name for name in needed if "tensorflow" not in name} | {"jax"})


class Environment:
    """A copy of the checkout, installed as docs/jax.md says; commands run outside of the copy."""

    def __init__(self, folder):
        self.source, self.folder = folder / "checkout", folder / "elsewhere"
        self.folder.mkdir()
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "runs", "site")
        shutil.copytree(ROOT, self.source, ignore=ignored)
        left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "KERAS_BACKEND")
        self.environ = {key: value for key, value in os.environ.items() if key not in left_out}
        command = ["bash", "-euo", "pipefail", "-c", INSTALL]
        subprocess.run(command, cwd=self.source, env=self.environ, check=True)

    def start(self, *command, cwd=None, **variables):
        """Starts a program of the environment with its arguments."""
        program = self.source / ".venv" / "bin" / command[0]
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=cwd or self.folder,
            env={**self.environ, "KERAS_BACKEND": "jax", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command, code=0, **kwargs):
        """Runs a program to its end; what it wrote to stdout and stderr."""
        process = self.start(*command, **kwargs)
        stdout, stderr = process.communicate()
        assert process.returncode == code, stdout + stderr
        return stdout, stderr


@pytest.fixture(scope="module")
def jax(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("jax"))


@pytest.fixture(scope="module")
def images():
    """uint8 `(250, 28, 28, 1)`: the example images at 25 places."""
    examples = golden.examples(zoo.describe(backend_answers.NAME)["folder"])
    shifts = np.ndindex(5, 5)
    return np.concatenate([np.roll(examples, (y - 2, x - 2), axis=(1, 2)) for y, x in shifts])


@pytest.fixture(scope="module")
def model():
    return vqzoo.load(backend_answers.NAME)


@pytest.fixture(scope="module")
def answers(jax, images, model):
    """The same questions answered by this process and by one under JAX."""
    (codes,) = model.encode(images)
    here, given = backend_answers.answers(images, codes), jax.folder / "given.npz"
    np.savez(given, images=images, codes=codes)
    stdout, _ = jax.run("python", backend_answers.__file__, given, jax.folder / "found.npz")
    assert stdout == "[]\n", "TensorFlow is there"
    with np.load(jax.folder / "found.npz") as found:
        return here, dict(found)


@pytest.mark.slow
def test_the_same_codes_give_the_same_images(answers):
    here, there = (found["decoded"].astype("int32") for found in answers)
    assert np.abs(here - there).max() <= 1


@pytest.mark.slow
def test_codes_agree_but_where_two_are_as_near(answers, images, model):
    here, there = (found["encoded"] for found in answers)
    assert np.mean(here == there) >= 0.999
    vectors = ops.convert_to_numpy(model.autoencoder.encoder(images)).astype("float64")
    codebook = ops.convert_to_numpy(model.autoencoder.quantizer.codebook).astype("float64")
    first, second = (np.square(vectors - codebook[codes]).sum(-1) for codes in (here, there))
    assert np.abs(first - second).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("seed", backend_answers.SEEDS)
def test_samples_are_the_same_up_to_the_first_tie(answers, model, seed):
    here, there = (found[f"sampled_{seed}"] for found in answers)
    labels = np.arange(len(here), dtype="int32")
    keys = image_keys(seed, labels)
    condition = {"labels": labels}
    assert first_differences_are_ties(model.prior.network, condition, keys, here, there), f"beyond {TIE}"
    same = (here == there).all(axis=(1, 2))
    assert same.mean() >= 0.8, "of 30 images nearly all meet no tie"
    for what in ("images", "completed"):
        first, second = (found[f"{what}_{seed}"].astype("int32") for found in answers)
        assert np.abs(first - second)[same].max() <= 1
    np.testing.assert_array_equal(*(found[f"drawn_{seed}"] for found in answers))


@pytest.mark.slow
def test_likelihoods_are_the_same(answers):
    for what in ("elbo", "bits"):
        here, there = (found[what] for found in answers)
        # sums of 784 float32 logarithms, in another order
        np.testing.assert_allclose(there, here, rtol=1e-4)


@pytest.mark.slow
def test_a_recipe_killed_in_both_stages_ends_with_the_same_weights(jax, tmp_path):
    images, runs = tmp_path / "images", [tmp_path / "whole", tmp_path / "killed"]
    tiny_run.write_images(images)
    command = "python", tiny_run.__file__, images
    jax.run(*command, runs[0])
    for stage in ("autoencoder", "prior"):
        process = jax.start(*command, runs[1])
        while not list(runs[1].glob(f"checkpoints/{stage}/step_0000001*")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        process.kill()
        process.communicate()
    assert not (runs[1] / "results.json").exists()
    jax.run(*command, runs[1])
    whole, killed = map(weights_of, runs)
    assert whole.keys() == killed.keys() and whole
    for name, array in whole.items():
        np.testing.assert_array_equal(killed[name], array, err_msg=str(name))
    loaded = vqzoo.load(runs[0])  # by TensorFlow, here
    assert loaded.sample(2, seed=0).shape == (2, 8, 8, 1)


@pytest.mark.slow
def test_commands(jax):
    examples = zoo.describe(backend_answers.NAME)["folder"] / "examples"
    name = backend_answers.NAME
    assert name in jax.run("vqzoo", "list")[0]
    assert "MSE" in jax.run("vqzoo", "describe", name)[0]
    jax.run("vqzoo", "reconstruct", name, examples)
    jax.run("vqzoo", "encode", name, examples)
    jax.run("vqzoo", "decode", name, "codes.npz")
    jax.run("vqzoo", "complete", name, examples / "9_ankle_boot.png", "--box", "14,0,14,28")
    assert len(list((jax.folder / "decoded").glob("*.png"))) == 10
    jax.run("vqzoo", "verify")
    tiny_run.write_images(jax.folder / "images")
    data = "--data", jax.folder / "images"
    config = jax.folder / "images" / "stripes.yaml"
    jax.run("vqzoo", "train", config, *data, "--folder", "run", "--smoke")
    assert "bits_per_dim" in jax.run("vqzoo", "evaluate", "run", *data)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variables", "code", "message"),
    [
        (["export", backend_answers.NAME, "x"], {}, 1, '`KERAS_BACKEND` to "tensorflow"'),
        (["train", backend_answers.NAME], {}, 1, "tensorflow-datasets, which is not here"),
        (["sample", backend_answers.NAME], {"KERAS_BACKEND": "tensorflow"}, 2, "tensorflow or jax"),
    ],
)
def test_what_needs_tensorflow_says_so_in_one_line(jax, command, variables, code, message):
    _, stderr = jax.run("vqzoo", *command, code=code, **variables)
    assert message in stderr and stderr.count("\n") == 1


@pytest.mark.slow
def test_two_devices_compute_what_one_does(jax):
    script, output = ROOT / "tests" / "integration" / "jax_devices.py", jax.folder / "devices.npz"
    flags = "--xla_force_host_platform_device_count=2"
    jax.run("python", script, output, XLA_FLAGS=flags)
    with np.load(output) as found:
        assert (found["one devices"], found["all devices"]) == (1, 2)
        names = [name.removeprefix("one ") for name in found if name.startswith("one ")]
        for name in set(names) - {"devices"}:
            one, two = found[f"one {name}"], found[f"all {name}"]
            np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6, err_msg=name)
