import sys

import pytest

from vqzoo.cli import backend
from vqzoo.cli.arguments import UsageError


def test_a_backend_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(UsageError, match="keras is not installed; set .*`KERAS_BACKEND`.* jax"):
        backend.start()
