import hashlib
import json

import pytest

from vqzoo import manifest as manifests


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    manifests.write(tmp_path, ["a.bin"], class_names=["x"])
    return tmp_path


def test_checksum_is_that_of_the_whole_file(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "big").write_bytes(content)
    assert manifests.sha256(tmp_path / "big") == hashlib.sha256(content).hexdigest()


def test_what_is_written_is_read_and_checks(folder):
    manifest = manifests.read(folder)
    assert manifest["class_names"] == ["x"] and manifest["files"]["a.bin"]["bytes"] == 10
    manifests.check_file(folder / "a.bin", manifest["files"]["a.bin"])


@pytest.mark.parametrize("content", [b"012345678", b"0123456780", b""])
def test_changed_and_truncated_files_are_named(folder, content):
    (folder / "a.bin").write_bytes(content)
    with pytest.raises(ValueError, match="a.bin is damaged"):
        manifests.check_file(folder / "a.bin", manifests.read(folder)["files"]["a.bin"])


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format_version": 1}', '{"format_version": "x", "files": {}}',
     '{"format_version": 1, "files": {"a.bin": {}}}', '{"format_version": 1, "files": {"a": 1}}'],
)  # fmt: skip
def test_text_that_is_no_manifest(folder, text):
    (folder / manifests.FILE).write_text(text)
    with pytest.raises(ValueError, match="manifest.json is not a whole manifest"):
        manifests.read(folder)


def test_newer_formats_name_the_version_to_install(folder):
    content = manifests.read(folder) | {"format_version": 2, "vqzoo_version": "7.8"}
    (folder / manifests.FILE).write_text(json.dumps(content))
    with pytest.raises(ValueError, match="Install vqzoo 7.8 or newer"):
        manifests.read(folder)


@pytest.mark.parametrize("name", ["../a.bin", "/etc/passwd", "b/a.bin"])
def test_a_manifest_names_no_file_of_another_folder(folder, name):
    content = {"format_version": 1, "files": {name: {"sha256": "0"}}}
    (folder / manifests.FILE).write_text(json.dumps(content))
    with pytest.raises(ValueError, match="its own folder"):
        manifests.read(folder)


def test_text_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.txt"
    manifests.write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        manifests.write_text(path, "new \ud800")  # fails after the file was opened
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
