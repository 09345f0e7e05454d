from absl import logging

from vqzoo.data.quiet import quiet


def test_notes_are_hidden_and_errors_are_not():
    before = logging.get_verbosity()
    with quiet():
        assert not logging.level_warning() and logging.level_error()
    assert logging.get_verbosity() == before
