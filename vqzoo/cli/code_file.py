"""Code files: the `.npz` that `vqzoo encode` writes and `vqzoo decode` reads."""

import zipfile

import numpy as np

FORMAT_VERSION = 1


def write_codes(path, codes, names, tokenizer_hash):
    """Writes codes as a NumPy archive.

    It holds `codes_0`, `codes_1` ... (int32 `(images, h, w)`, coarse to fine), `names` (str, one
    an image), `tokenizer_hash` (str, of the model whose codes they are) and `format_version`.

    Args:
        path: path of the file, ending in .npz.
        codes: list of int arrays.
        names: list of str.
        tokenizer_hash: str.
    """
    levels = {f"codes_{level}": array for level, array in enumerate(codes)}
    np.savez_compressed(
        path,
        **levels,
        names=np.array(names),
        tokenizer_hash=np.array(tokenizer_hash),
        format_version=np.array(FORMAT_VERSION),
    )


def read_codes(path, tokenizer_hash):
    """Reads what `write_codes` wrote: list of codes, list of names.

    Args:
        path: path of the file.
        tokenizer_hash: str, of the model that is to decode the codes.

    Raises:
        ValueError: if it is no such file, of a newer format, or holds another model's codes.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {key: archive[key] for key in archive.files}
        version, owner = int(content["format_version"]), str(content["tokenizer_hash"])
        names = [str(name) for name in content["names"]]
        codes = [content[f"codes_{level}"] for level in range(len(content) - 3)]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a whole file of `vqzoo encode`: {error}") from error
    if version > FORMAT_VERSION:
        raise ValueError(f"{path} has format version {version}; this vqzoo reads {FORMAT_VERSION}")
    if owner != tokenizer_hash:
        raise ValueError(
            f"{path} holds the codes of another model: its tokenizer hash must be "
            f"{tokenizer_hash[:12]}... Received: {owner[:12]}..."
        )
    return codes, names
