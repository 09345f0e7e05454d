"""What docs/serving.md tells its reader to send and to run, sent and run."""

import json
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import vqzoo

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "serving.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SMALL = {"filters": 8, "residual_filters": 8, "embedding_dim": 8}
SMALL_NETWORK = {"filters": 8, "num_layers": 2, "head_filters": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader stands: with a picture and an export of the entry, its networks made small."""
    here = tmp_path_factory.mktemp("reader")
    model = vqzoo.create("vqvae_fashion_mnist", autoencoder=SMALL, prior={"network": SMALL_NETWORK})
    model.export(here / "served" / "vqvae_fashion_mnist")
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype="uint8")
    Image.fromarray(pixels).save(here / "sneaker.png")
    return here


@pytest.fixture(scope="module")
def signatures(folder):
    return tf.saved_model.load(str(folder / "served" / "vqvae_fashion_mnist" / "1")).signatures


def rest(signatures, body):
    """Stand-in for the REST server: the reply to a request by rows, by the rules of its API.

    https://www.tensorflow.org/tfx/serving/api_rest: every instance has exactly the inputs' names,
    integers are not read from decimals, a lone output goes without its name.
    """
    request = json.loads(body)
    function = signatures[request["signature_name"]]
    specs = function.structured_input_signature[1]
    assert all(set(instance) == set(specs) for instance in request["instances"])
    columns = {name: [row[name] for row in request["instances"]] for name in specs}
    for name, spec in specs.items():
        whole = np.asarray(columns[name]).dtype.kind == "i"
        assert whole or spec.dtype.is_floating, f"{name} must be given in integers"
    inputs = {name: tf.constant(columns[name], spec.dtype) for name, spec in specs.items()}
    (output,) = function(**inputs).values()
    return json.dumps({"predictions": output.numpy().tolist()})


def form_of(reply):
    """Shape of a reply, its entries being all alike."""
    return np.shape(json.loads(reply)["predictions"])


def test_the_requests_of_the_page_are_answered(signatures):
    bodies = re.findall(r"curl -s \$URL -d '(.*?)'\n", PAGE, re.DOTALL)
    forms = {json.loads(body)["signature_name"]: form_of(rest(signatures, body)) for body in bodies}
    assert forms == {"sample": (2, 28, 28, 1), "decode": (1, 28, 28, 1)}


def test_the_requests_that_the_page_writes_to_files_are_answered(signatures, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(_block("json.dump"), {})
    assert re.findall(r"curl -s \$URL -d @(\w+)\.json", PAGE) == ["encode", "reconstruct"]
    assert form_of(rest(signatures, pathlib.Path("encode.json").read_text())) == (2, 7, 7)
    body = pathlib.Path("reconstruct.json").read_text()
    assert form_of(rest(signatures, body)) == (2, 28, 28, 1)


def test_the_example_without_a_server_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(_block("saved_model.load"), names)
    assert names["images"].shape == (2, 28, 28, 1) and names["images"].dtype == tf.uint8
    assert names["codes"].shape == (2, 7, 7) and names["codes"].dtype == tf.int32


def test_the_replies_shown_have_the_form_of_replies():
    replies = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert [list(reply) for reply in replies] == [["predictions"]] * 4 + [["error"]]


def _block(word):
    """The one Python block of the page that holds a word."""
    (block,) = (block for block in PYTHON if word in block)
    return block
