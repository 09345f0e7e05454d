"""Progress of long work: silent when it is quick, one line on stderr when it is not."""

import sys
import time

QUIET_SECONDS = 3.0
"""Work shorter than this shows nothing."""

REFRESH_SECONDS = 0.5
"""Time between two updates of the line."""


def track(iterable, total, what):
    """Yields the items of `iterable`; after 3 seconds a line such as `sampling 12/50, 8 s left`.

    On stderr, so that what a command prints can be piped.

    Args:
        iterable: any iterable.
        total: int, number of items it will yield.
        what: str, what is being done, in the words a user would choose.
    """
    start = time.monotonic()
    due, shown = start + QUIET_SECONDS, False
    for done, item in enumerate(iterable, 1):
        yield item
        now = time.monotonic()
        if (now >= due and done < total) or (shown and done == total):
            left = (now - start) / done * (total - done)
            # trailing blanks wipe what is left of a longer line
            sys.stderr.write(f"\r{what} {done}/{total}, {left:.0f} s left   ")
            sys.stderr.flush()
            due, shown = now + REFRESH_SECONDS, True
    if shown:
        sys.stderr.write("\n")
