"""What all cells of a grid's folder have in common."""

import json

from vqzoo import files
from vqzoo.grid.turns import alone

SETTINGS = "settings.json"


def check_settings(folder, settings):
    """Raises ValueError if a folder holds a grid of other settings than the dict `settings`."""
    path = folder / SETTINGS
    if not path.is_file():
        return
    try:
        old = dict(json.loads(path.read_text("utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}; use another `folder`") from error
    for key, value in settings.items():
        if old.get(key) != value:
            raise ValueError(
                f"`folder` must be a new one, or that of the same grid: in {folder} `{key}` is "
                f"{old.get(key)!r}. Received: {value!r}"
            )


def write_settings(folder, settings):
    """Writes them: from here on the folder, which is made, is for this grid alone.

    Raises:
        ValueError: if it has become that of another one since `check_settings`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        check_settings(folder, settings)
        files.write_json(folder / SETTINGS, settings)
