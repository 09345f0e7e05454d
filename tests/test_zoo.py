import json
import os
import re
import shutil

import numpy as np
import pytest
from benchmarks.shapes_only import shapes_only

import vqzoo
from vqzoo import config as configs
from vqzoo import manifest as manifests
from vqzoo import weights, zoo
from vqzoo.cli.main import main
from vqzoo.in_memory import training_codes


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny model's folder, to be changed."""
    return shutil.copytree(tiny_folder, tmp_path / "copy")


def rewrite_manifest(folder, **changes):
    content = manifests.read(folder)
    (folder / manifests.FILE).write_text(json.dumps(content | changes))


def test_listing_by_pattern():
    names = vqzoo.list_models()
    assert "vqvae_fashion_mnist" in names and names == sorted(names)
    assert vqzoo.list_models("vqvae*") == [name for name in names if name.startswith("vqvae")]
    assert vqzoo.list_models("nothing*") == []
    trained = vqzoo.list_models(pretrained=True)
    assert sorted(trained + vqzoo.list_models(pretrained=False)) == names


@pytest.mark.parametrize("name", configs.names())
def test_every_entry_is_built(name):
    with shapes_only():  # the largest has a thousand million
        model = vqzoo.create(name)
    assert model.autoencoder.image_shape == tuple(model.config["data"]["image_shape"])
    conditional = model.class_names and "VQVAE" in model.config["autoencoder"]["family"]
    assert model.prior.num_classes == (len(model.class_names) if conditional else None)


@pytest.mark.parametrize("name", vqzoo.list_models(pretrained=True))
def test_every_published_model_has_what_it_promises(name):
    folder = configs.folder_of("pretrained") / name
    manifest = manifests.read(folder)
    assert {configs.CONFIG_FILE, weights.AUTOENCODER} <= set(manifest["files"])
    assert json.loads((folder / zoo.RESULTS).read_text())["scores"]
    assert (folder / zoo.CARD).is_file()
    assert sum(path.stat().st_size for path in folder.glob("*.h5")) < 10e6
    assert sum(path.stat().st_size for path in folder.iterdir()) < 14e6  # in the wheel
    saved, entry = configs.read_config(folder / configs.CONFIG_FILE), configs.read_config(name)
    for section in ("data", "autoencoder", "prior"):
        assert saved[section] == entry[section], "the entry is not what was trained"
    assert vqzoo.load(name).has_prior != zoo.is_tokenizer_only(name)


def test_overrides_reach_the_parts(tiny_yaml):
    model = vqzoo.create(tiny_yaml, autoencoder={"num_embeddings": 5})
    assert model.autoencoder.codebook_sizes == [5] and model.prior.network.num_embeddings == 5
    assert model.config["autoencoder"]["num_embeddings"] == 5
    with pytest.raises(ValueError, match="did you mean 'num_embeddings'"):
        vqzoo.create(tiny_yaml, autoencoder={"num_embedding": 5})
    other = vqzoo.create(tiny_yaml, prior={"family": "UniformPrior"})
    assert type(other.prior).__name__ == "UniformPrior"


def test_a_saved_model_is_the_same_model(tiny_yaml, tiny_images, tmp_path):
    model = vqzoo.create(tiny_yaml)
    model.save(tmp_path / "a" / "b")
    loaded = vqzoo.load(tmp_path / "a" / "b")
    assert loaded.config == model.config
    np.testing.assert_array_equal(loaded.encode(tiny_images)[0], model.encode(tiny_images)[0])
    np.testing.assert_array_equal(loaded.reconstruct(tiny_images), model.reconstruct(tiny_images))
    np.testing.assert_array_equal(loaded.elbo(tiny_images), model.elbo(tiny_images))
    loaded.save(tmp_path / "c")
    first, second = (manifests.read(tmp_path / name)["files"] for name in ("a/b", "c"))
    assert first == second


def test_a_run_folder_is_loaded_by_its_model(tiny_folder, tmp_path):
    shutil.copytree(tiny_folder, tmp_path / "run" / "model")
    assert vqzoo.load(tmp_path / "run").has_prior


def test_saving_over_an_older_model(tiny_yaml, folder):
    vqzoo.create(tiny_yaml, prior={"family": "UniformPrior"}).save(folder)
    assert not (folder / weights.PRIOR).exists()
    assert type(vqzoo.load(folder).prior).__name__ == "UniformPrior"


@pytest.mark.parametrize("file", ["config.yaml", "autoencoder.weights.h5", "prior.weights.h5"])
@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_damaged_folders_are_refused(folder, file, damage):
    content = (folder / file).read_bytes()
    if damage == "gone":
        os.remove(folder / file)
    else:
        changed = bytes([content[0] ^ 1]) + content[1:]
        (folder / file).write_bytes(content[: len(content) // 2] if damage == "cut" else changed)
    error = FileNotFoundError if damage == "gone" else ValueError
    with pytest.raises(error, match=file):
        vqzoo.load(folder)


def test_a_prior_refuses_another_tokenizer(folder, tiny_yaml):
    rewrite_manifest(folder, tokenizer_hash="0" * 64)
    with pytest.raises(ValueError, match="codes of another autoencoder"):
        vqzoo.load(folder)


def test_a_prior_refuses_other_classes(folder):
    rewrite_manifest(folder, class_names=["bag", "boot", "coat"])
    with pytest.raises(ValueError, match=r"trained on the classes \['bag', 'boot', 'coat'\]"):
        vqzoo.load(folder)


def test_a_tokenizer_that_was_trained_on_is_not_saved_with_the_old_prior(folder, tmp_path):
    model = vqzoo.load(folder)
    kernel = model.autoencoder.encoder.trainable_weights[0]
    kernel.assign(kernel + 1)
    with pytest.raises(ValueError, match="codes of another autoencoder"):
        model.save(tmp_path / "new")
    model.tokenizer_hash = None
    model.save(tmp_path / "new")
    vqzoo.load(tmp_path / "new")


def test_without_weights_of_the_prior_sampling_says_so(folder, tiny_images, tmp_path):
    model = vqzoo.load(folder)
    weights.save_folder(tmp_path / "half", model.config, model.autoencoder, None, "0" * 64)
    half = vqzoo.load(tmp_path / "half")
    np.testing.assert_array_equal(half.reconstruct(tiny_images), model.reconstruct(tiny_images))
    for call in (lambda: half.sample(1), lambda: half.elbo(tiny_images)):
        with pytest.raises(ValueError, match="weights for its autoencoder only"):
            call()
    half.prior.compile("adam")
    half.prior.fit(training_codes(half, [(tiny_images, [0, 1, 2] * 2)]), verbose=0)
    assert half.has_prior and half.elbo(tiny_images).shape == (6,)


def test_an_entry_without_weights_for_its_prior_is_a_tokenizer(tmp_path, monkeypatch, capsys):
    source, name = configs.folder_of("pretrained"), "vqvae_fashion_mnist"
    assert not zoo.is_tokenizer_only(name) and not zoo.is_tokenizer_only("vae_mnist")
    copied = shutil.copytree(source / name, tmp_path / name)
    path = copied / manifests.FILE
    manifest = json.loads(path.read_text())
    del manifest["files"]["prior.weights.h5"]
    path.write_text(json.dumps(manifest))
    folder_of = configs.folder_of
    monkeypatch.setattr(
        configs, "folder_of", lambda name: tmp_path if name == "pretrained" else folder_of(name)
    )
    assert zoo.is_tokenizer_only(name) and zoo.is_pretrained(name)
    assert main(["list", name]) == 0
    assert re.search(rf"^{name} +tokenizer only +fashion_mnist", capsys.readouterr().out)
    assert main(["describe", name]) == 0
    assert "Tokenizer only: there are no weights for its prior" in capsys.readouterr().out
    with pytest.raises(ValueError, match="weights for its autoencoder only"):
        vqzoo.load(name).sample(1)


def test_missing_models_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="did you mean 'vqvae_fashion_mnist'"):
        vqzoo.load("vqvae_fashion")
    with pytest.raises(FileNotFoundError, match="or the folder of a model"):
        vqzoo.load(tmp_path)
    folder_of = configs.folder_of
    monkeypatch.setattr(
        configs, "folder_of", lambda name: tmp_path if name == "pretrained" else folder_of(name)
    )
    with pytest.raises(FileNotFoundError, match="run `vqzoo train vqvae_fashion_mnist`"):
        vqzoo.load("vqvae_fashion_mnist")


def test_describing_builds_nothing(folder, tiny_yaml):
    (folder / "README.md").write_text("A card.")
    (folder / "results.json").write_text('{"scores": {"mse": 0.5}}')
    description = vqzoo.describe(folder)
    assert description["card"] == "A card." and description["results"]["scores"] == {"mse": 0.5}
    assert description["pretrained"] and description["config"]["data"]["name"] == "fashion_mnist"
    fresh = vqzoo.describe(tiny_yaml)
    assert not fresh["pretrained"] and fresh["card"] is None and fresh["results"] == {}
    assert vqzoo.load(folder).card == "A card."
