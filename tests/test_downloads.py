import functools
import http.server
import os
import pathlib
import shutil
import socket
import threading

import pytest

import vqzoo
from vqzoo import config as configs
from vqzoo import downloads, zoo
from vqzoo import manifest as manifests

NAME = "vqvae_fashion_mnist"


@pytest.fixture
def places(tiny_folder, tmp_path, monkeypatch):
    """A package that carries the manifest of an entry but not its weights, and an empty cache."""
    package, cache, server = (tmp_path / name for name in ("pretrained", "cache", "server"))
    (package / NAME).mkdir(parents=True)
    shutil.copy(tiny_folder / manifests.FILE, package / NAME)
    (package / NAME / "results.json").write_text("{}")
    shutil.copytree(tiny_folder, server / NAME)
    folder_of = configs.folder_of
    monkeypatch.setattr(
        configs, "folder_of", lambda name: package if name == "pretrained" else folder_of(name)
    )
    for variable in ("VQZOO_WEIGHTS_URL", "VQZOO_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VQZOO_HOME", str(cache))
    return {"package": package / NAME, "cache": cache / NAME, "server": server}


@pytest.fixture
def web(places):
    """Address of a web server that has the entry's files."""
    handler = functools.partial(_SilentHandler, directory=str(places["server"]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_the_cache_follows_the_environment(monkeypatch):
    monkeypatch.setenv("VQZOO_HOME", "/a")
    monkeypatch.setenv("KERAS_HOME", "/b")
    assert downloads.cache_folder() == pathlib.Path("/a")
    monkeypatch.delenv("VQZOO_HOME")
    assert downloads.cache_folder() == pathlib.Path("/b/models/vqzoo")
    monkeypatch.delenv("KERAS_HOME")
    assert downloads.cache_folder() == pathlib.Path.home() / ".keras/models/vqzoo"


@pytest.mark.parametrize("by_web", [True, False])
def test_downloads_fill_the_cache_once(places, web, monkeypatch, by_web):
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", web if by_web else str(places["server"]))
    assert not zoo.is_pretrained(NAME)
    assert vqzoo.load(NAME).config["data"]["class_names"] == ["boot", "bag", "coat"]
    assert {path.name for path in places["cache"].iterdir()} == {
        "config.yaml", "autoencoder.weights.h5", "prior.weights.h5"
    }  # fmt: skip
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", "http://127.0.0.1:9")  # a port that answers nobody
    assert zoo.is_pretrained(NAME)
    vqzoo.load(NAME)


def test_what_the_package_carries_needs_no_cache(places, tiny_folder):
    shutil.copytree(tiny_folder, places["package"], dirs_exist_ok=True)
    assert zoo.is_pretrained(NAME)
    assert vqzoo.load(NAME).has_prior
    assert not places["cache"].exists()


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_downloads_never_get_their_name(places, web, monkeypatch, damage):
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", web)
    path = places["server"] / NAME / "prior.weights.h5"
    content = path.read_bytes()
    path.write_bytes(content[:-10] if damage == "cut" else content[:-1] + b"?")
    with pytest.raises(ValueError, match="its SHA-256 must be"):
        vqzoo.load(NAME)
    assert {path.name for path in places["cache"].iterdir()} == {
        "config.yaml", "autoencoder.weights.h5"
    }  # fmt: skip


def test_a_damaged_cache_is_named_and_not_read(places, monkeypatch):
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", str(places["server"]))
    vqzoo.load(NAME)
    (places["cache"] / "prior.weights.h5").write_bytes(b"short")
    monkeypatch.setattr("h5py.File", None)  # nothing may parse a file before it is checked
    with pytest.raises(ValueError, match="cache/.*prior.weights.h5 is damaged"):
        vqzoo.load(NAME)


def test_no_source_says_what_to_put_where(places):
    with pytest.raises(FileNotFoundError, match="put it at .*cache.*/config.yaml.* or run `vqzoo"):
        vqzoo.load(NAME)


def test_offline_opens_no_socket(places, monkeypatch):
    def no_socket(*arguments, **keywords):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "create_connection", no_socket)
    monkeypatch.setenv("VQZOO_OFFLINE", "1")
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", "http://127.0.0.1:9")
    with pytest.raises(FileNotFoundError, match="VQZOO_OFFLINE forbids"):
        vqzoo.load(NAME)
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", str(places["server"]))  # a folder is no network
    assert vqzoo.load(NAME).has_prior


@pytest.mark.parametrize("missing", [True, False])
def test_failing_servers_are_named(places, web, monkeypatch, missing):
    os.remove(places["server"] / NAME / "config.yaml")
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", web if missing else "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=f"cannot download http://.*/{NAME}/config.yaml"):
        vqzoo.load(NAME)
    assert not list(places["cache"].iterdir())
    monkeypatch.setenv("VQZOO_WEIGHTS_URL", str(places["server"]))
    with pytest.raises(FileNotFoundError, match="VQZOO_WEIGHTS_URL has no .*config.yaml"):
        vqzoo.load(NAME)


def test_verify_tells_good_bad_and_missing_files(places, tiny_folder):
    shutil.copytree(tiny_folder, places["package"], dirs_exist_ok=True)
    assert [problem for _, problem in zoo.verify()] == [None] * 3
    (places["package"] / "prior.weights.h5").write_bytes(b"short")
    os.remove(places["package"] / "config.yaml")
    problems = {path.name: problem for path, problem in zoo.verify()}
    assert problems["autoencoder.weights.h5"] is None
    assert "SHA-256 must be" in problems["prior.weights.h5"]
    assert "is not here" in problems["config.yaml"]
    (places["package"] / manifests.FILE).write_text("{")
    assert "not a whole manifest" in [problem for _, problem in zoo.verify()][0]
