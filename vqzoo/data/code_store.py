"""Codes of a whole data set on disk: written once, then read by index through memory maps."""

from pathlib import Path

import numpy as np

from vqzoo.data import code_manifest
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
        self.folder = Path(folder)
        self.manifest = code_manifest.read(self.folder)
        levels = self.manifest["levels"]
        self.latent_shapes = [tuple(level["shape"]) for level in levels]
        self.codebook_sizes = [level["num_embeddings"] for level in levels]
        self.class_names = self.manifest["class_names"]
        self.tokenizer_hash = self.manifest["tokenizer_hash"]
        self._shards = [
            {key: self._open(entry) for key, entry in shard.items()}
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
        described = {"tokenizer_hash": tokenizer_hash, "class_names": class_names, "config": config}
        write_store(Path(folder), batches, list(codebook_sizes), described)
        return CodeStore(folder)

    def check_tokenizer(self, tokenizer_hash):
        """Raises ValueError unless the autoencoder with this hash made the codes."""
        if tokenizer_hash != self.tokenizer_hash:
            raise ValueError(
                f"{self.folder}: these codes were made by another autoencoder, and mean nothing to "
                f"a prior of this one; extract them again. `tokenizer_hash` must be "
                f"{self.tokenizer_hash}. Received: {tokenizer_hash}"
            )

    def __len__(self):
        return self.manifest["count"]

    def __getitem__(self, index):
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"`index` must be below {len(self)}, the number of images. {index=}")
        return {key: rows[0] for key, rows in self.take([position]).items()}

    def take(self, indices):
        """Returns the examples at `indices`, int `[B]`, as int32 arrays with a leading axis B."""
        shards, rows = np.divmod(np.asarray(indices, "int64"), self.manifest["shard_size"])
        batch = {
            key: np.empty((len(rows), *array.shape[1:]), "int32")
            for key, array in self._shards[0].items()
        }
        for shard in np.unique(shards):
            here = shards == shard
            for key, array in self._shards[shard].items():
                batch[key][here] = array[rows[here]]
        return batch

    def _open(self, entry):
        mapped = np.load(self.folder / entry["file"], mmap_mode="r", allow_pickle=False)
        return mapped.view(np.ndarray)  # still on the disk; rows of a plain array are read faster
