import pytest

from vqzoo import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def consume(clock, seconds, items):
    for _ in progress.track(range(items), items, "sampling"):
        clock[0] += seconds


def test_quick_work_shows_nothing(clock, capsys):
    consume(clock, 0.25, 10)
    assert capsys.readouterr() == ("", "")


def test_slow_work_shows_count_and_time_left(clock, capsys):
    consume(clock, 1.0, 10)
    lines = capsys.readouterr().err.split("\r")
    assert lines[1].startswith("sampling 3/10, 7 s left"), lines
    assert lines[-1].startswith("sampling 10/10, 0 s left"), lines


def test_line_is_not_written_for_every_item(clock, capsys):
    consume(clock, 0.01, 1000)  # ten seconds: from the third on, at most two lines a second
    assert capsys.readouterr().err.count("\r") <= 16


def test_one_slow_item_shows_nothing_when_it_is_over(clock, capsys):
    consume(clock, 10.0, 1)
    assert capsys.readouterr() == ("", "")


def test_all_items_come_through(clock):
    assert list(progress.track(iter("abc"), 3, "reading")) == ["a", "b", "c"]
