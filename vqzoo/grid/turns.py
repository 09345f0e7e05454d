"""Which cell is next, and who writes, when several processes work on one grid."""

import contextlib
import fcntl
import os
import sys
import time

WAIT_SECONDS = 20
"""Time between two looks at whether another process has finished a cell."""


def take_turns(cells, train):
    """Calls `train` on every cell, each as soon as it is ready.

    A cell that another process has is left to it. Where others need its scale they wait, and it is
    tried again: should that process be stopped, the cell is trained here.

    Args:
        cells: list of `Cell`; a cell that others refer to comes before them.
        train: function of a cell, which raises BlockingIOError if another process has it.
    """
    told, left = set(), cells
    while left:
        held, waiting = [], []
        for cell in left:
            if not cell.is_ready:
                waiting.append(cell)
                continue
            try:
                train(cell)
            except BlockingIOError:
                held.append(cell)
        needed = {cell.reference for cell in waiting}
        _say({f"{cell.folder.name}: left to the process that trains it" for cell in held}, told)
        _say({f"{cell.folder.name}: waiting for its scale" for cell in needed}, told)
        left = [cell for cell in held if cell in needed] + waiting
        if left:
            time.sleep(WAIT_SECONDS)


@contextlib.contextmanager
def alone(folder):
    """Context in which no other process is for the same folder, a path; waits for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which also unlocks


def _say(lines, told):
    """Prints on stderr the lines that are not told yet."""
    for line in sorted(lines - told):
        print(line, file=sys.stderr)
    told |= lines
