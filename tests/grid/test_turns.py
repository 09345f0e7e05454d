"""Who trains what, when cells are held by others or wait for a scale."""

from types import SimpleNamespace

import pytest

from vqzoo.grid import turns


class Fake:
    """A cell; `steps` is how often another process is found to have it."""

    def __init__(self, name, reference=None, steps=0):
        self.folder, self.reference, self.steps = SimpleNamespace(name=name), reference, steps
        self.done = False

    @property
    def is_ready(self):
        return self.reference is None or self.reference.done


def run(cells, monkeypatch, most=5):
    """Names of the cells in the order in which they were trained, and the number of waits."""
    trained, waits = [], []

    def train(cell):
        if cell.steps:
            cell.steps -= 1
            raise BlockingIOError
        trained.append(cell.folder.name)
        cell.done = True

    def sleep(seconds):
        waits.append(seconds)
        assert len(waits) <= most, "waits for ever"

    monkeypatch.setattr(turns.time, "sleep", sleep)
    turns.take_turns(cells, train)
    return trained, len(waits)


def test_all_are_trained_in_their_order(monkeypatch):
    first = Fake("first")
    assert run([first, Fake("a", first), Fake("b", first)], monkeypatch) == (["first", "a", "b"], 0)


def test_a_cell_that_nobody_needs_is_left_to_the_process_that_has_it(monkeypatch, capsys):
    first = Fake("first")
    cells = [first, Fake("a", first, steps=99), Fake("b", first)]
    assert run(cells, monkeypatch) == (["first", "b"], 0)
    assert capsys.readouterr().err == "a: left to the process that trains it\n"


def test_a_scale_is_waited_for_and_trained_here_if_the_other_process_ends(monkeypatch, capsys):
    first, other = Fake("first", steps=3), Fake("other")
    cells = [first, other, Fake("a", first), Fake("b", other)]
    assert run(cells, monkeypatch) == (["other", "b", "first", "a"], 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["first: left to the process that trains it", "first: waiting for its scale"]


def test_a_scale_that_another_process_finishes_is_used(monkeypatch):
    first = Fake("first", steps=1)
    cells = [first, Fake("a", first)]

    def finish(seconds):
        first.done = True

    trained = []

    def train(cell):
        if cell is first and not first.done:
            raise BlockingIOError
        trained.append(cell.folder.name)

    monkeypatch.setattr(turns.time, "sleep", finish)
    turns.take_turns(cells, train)
    assert trained == ["first", "a"], "a finished cell is passed by, as `Cell.run` does"


def test_other_errors_end_the_grid(monkeypatch):
    def train(cell):
        raise FloatingPointError("loss is nan")

    with pytest.raises(FloatingPointError):
        turns.take_turns([Fake("first")], train)
