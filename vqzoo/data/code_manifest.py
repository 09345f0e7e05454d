"""The manifest of a code store: what is in it, and whether it still is."""

import hashlib
import json

FILE = "manifest.json"
FORMAT_VERSION = 1
"""Version of the files' layout; a store of a newer one is refused."""

LABELS = "labels"


def level_name(level):
    """Returns the name of a level's codes, `codes_0` being the coarsest."""
    return f"codes_{level}"


def dtype_of(num_values):
    """Returns the smallest unsigned dtype that holds `0 .. num_values - 1`, at most 16 bits.

    Raises:
        ValueError: if none does.
    """
    if not 0 < num_values <= 2**16:
        raise ValueError(f"`codebook_sizes` must lie in 1 .. 65536. Received: {num_values}")
    return "uint8" if num_values <= 2**8 else "uint16"


def num_labels(class_names):
    """Returns how many values a label may take: as many as classes, or what 16 bits hold."""
    return 2**16 if class_names is None else len(class_names)


def encode(manifest):
    """Returns the bytes of `manifest.json`, which hold the SHA-256 of the rest of them."""
    content = {**manifest, "sha256": _content_hash(manifest)}
    return (json.dumps(content, indent=1) + "\n").encode()


def read(folder):
    """Returns the manifest of a store, after comparing it and every file with their hashes.

    Raises:
        FileNotFoundError: if the manifest or a file is missing.
        ValueError: if the manifest or a file is not what was written.
    """
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: not a code store, {FILE} is missing")
    manifest = _parsed(path)
    for shard in manifest["shards"]:
        for entry in shard.values():
            _check_file(folder / entry["file"], entry)
    return manifest


def _parsed(path):
    """Returns the manifest without its hash, which is compared with its content."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        recorded = manifest.pop("sha256")
        version = manifest["format_version"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: damaged ({error!r}); extract the codes again") from error
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{path}: `format_version` must be {FORMAT_VERSION}. Received: {version}; read it with "
            "the vqzoo that wrote it, or extract the codes again"
        )
    if recorded != _content_hash(manifest):
        raise ValueError(f"{path}: changed after it was written; extract the codes again")
    return manifest


def _check_file(path, entry):
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; extract the codes again")
    # The size first: it names a file that was cut short without reading gigabytes.
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise ValueError(
            f"{path}: must have {entry['bytes']} bytes. Received: {size}; extract the codes again"
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != entry["sha256"]:
        raise ValueError(f"{path}: changed after it was written; extract the codes again")


def _content_hash(manifest):
    # One text for one content: neither the order of keys nor spaces may change the hash.
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
