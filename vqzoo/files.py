"""Output files that appear when they are whole, or not at all."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def whole_file(path):
    """Gives a temporary path in the same folder, which becomes `path` when the block ends well.

    Missing folders are made. If the block fails, what stood at `path` stays, and nothing is left.

    Args:
        path: path of the file to write or replace.

    Raises:
        OSError: naming `path`, if it cannot be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file in UTF-8, whole or not at all; errors as for `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
