"""Codes of a whole data set on disk: written once, then read by index through memory maps."""

import itertools
import json

import numpy as np

from vqzoo.checks import checked_class_names, checked_index, checked_indices
from vqzoo.checks import checked_path, checked_sizes, shown
from vqzoo.data import code_manifest
from vqzoo.data.code_manifest import LABELS
from vqzoo.data.code_writer import write_store


class CodeStore:
    """A folder of codes; `store[i]` reads one example, `store.take(indices)` a batch.

    An example is `{"codes_0": int32 [h, w], ..., "labels": int32}` with one entry a level, coarse
    to fine, and without "labels" where the data have none. `docs/data.md` describes the files.

    Args:
        folder: str or path of the store.

    Attributes:
        manifest: dict, what `manifest.json` says.
        latent_shapes: list of (h, w), one a level.
        codebook_sizes: list of int, one a level.
        class_names: list of str in the order of the label ids, or None.
        tokenizer_hash: str, which encoder and codebook made the codes.

    Raises:
        FileNotFoundError: if there is no store in the folder.
        ValueError: if the manifest or a shard is not what was written, naming the file.
    """

    def __init__(self, folder):
        self.folder = checked_path(folder, "folder")
        self.manifest = code_manifest.read(self.folder)
        levels = self.manifest["levels"]
        self.latent_shapes = [tuple(level["shape"]) for level in levels]
        self.codebook_sizes = [level["num_embeddings"] for level in levels]
        self.class_names = self.manifest["class_names"]
        self.tokenizer_hash = self.manifest["tokenizer_hash"]
        sizes = dict(zip((level["name"] for level in levels), self.codebook_sizes))
        limits = sizes | {LABELS: code_manifest.num_labels(self.class_names)}
        self._shards = [
            {key: self._open(entry, limits[key]) for key, entry in shard.items()}
            for shard in self.manifest["shards"]
        ]

    @staticmethod
    def write(folder, batches, codebook_sizes, tokenizer_hash, class_names=None, config=None):
        """Writes a store; the folder appears under its name only when all of it is on the disk.

        Args:
            folder: str or path that does not exist yet.
            batches: iterable of `{"codes_0": int [B, h, w], ..., "labels": int [B]}`, levels coarse
                to fine, "labels" in all of them or in none. It is read once, and never held whole.
            codebook_sizes: list of int, number of codes of each level.
            tokenizer_hash: str, `tokenizer_hash()` of the autoencoder that makes the codes.
            class_names: list of str in the order of the label ids, or None.
            config: dict that JSON can hold, the config of that autoencoder, or None.

        Returns:
            The `CodeStore`, opened.

        Raises:
            FileExistsError: if the folder exists.
            ValueError: if a batch does not fit the others, or holds a code or label out of range.
            OSError: if the disk is full or cannot be written.
        """
        class_names = checked_class_names(class_names) or None
        try:
            json.dumps(config)
        except (TypeError, ValueError) as error:
            raise ValueError(f"`config` must be what JSON can hold: {error}") from error
        described = {"tokenizer_hash": tokenizer_hash, "class_names": class_names, "config": config}
        sizes = checked_sizes(codebook_sizes, "codebook_sizes", "a list of one a level")
        if not sizes:
            raise ValueError("`codebook_sizes` must hold one size a level. Received: none")
        write_store(checked_path(folder, "folder"), batches, sizes, described)
        return CodeStore(folder)

    def check_tokenizer(self, tokenizer_hash):
        """Raises ValueError unless the autoencoder with this hash made the codes."""
        if not isinstance(tokenizer_hash, str) or tokenizer_hash != self.tokenizer_hash:
            raise ValueError(
                f"{self.folder}: these codes were made by another autoencoder, and mean nothing to "
                f"a prior of this one; extract them again. `tokenizer_hash` must be "
                f"{self.tokenizer_hash}. Received: {shown(tokenizer_hash)}"
            )

    def __len__(self):
        return self.manifest["count"]

    def __getitem__(self, index):
        position = checked_index(index, len(self))
        return {key: rows[0] for key, rows in self.take([position]).items()}

    def take(self, indices):
        """Returns the examples at `indices`, int `[B]`, as int32 arrays with a leading axis B."""
        indices = checked_indices(indices, len(self))
        batch = {
            key: np.empty((len(indices), *array.shape[1:]), "int32")
            for key, array in self._shards[0].items()
        }
        # In the order of the files, so that each shard is read once and forwards.
        order = np.argsort(indices)
        shards, rows = np.divmod(indices[order], self.manifest["shard_size"])
        starts = np.flatnonzero(np.diff(shards, prepend=-1))
        for start, stop in itertools.pairwise([*starts, len(order)]):
            places, wanted = order[start:stop], rows[start:stop]
            for key, array in self._shards[shards[start]].items():
                batch[key][places] = array[wanted]
        return batch

    def _open(self, entry, limit):
        path = self.folder / entry["file"]
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:  # such as of pickled objects, which are never loaded
            raise ValueError(f"{path}: not a shard of codes ({error})") from error
        # Whoever writes other codes may well write the hashes that belong to them.
        if mapped.dtype != code_manifest.dtype_of(limit) or mapped.max(initial=0) >= limit:
            raise ValueError(
                f"{path}: must hold codes in 0..{limit - 1}. Received: {shown(mapped)}"
            )
        return mapped.view(np.ndarray)  # still on the disk; rows of a plain array are read faster
