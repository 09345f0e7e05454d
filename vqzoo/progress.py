"""Progress of long work: silent when it is quick, one line on stderr when it is not."""

import sys
import time

QUIET_SECONDS = 3.0
"""Work shorter than this shows nothing."""


def track(iterable, total, what):
    """Yields the items of `iterable`; after 3 seconds a line such as `sampling 12/50, 8 s left`.

    Args:
        iterable: any iterable.
        total: int, number of items it will yield.
        what: str, what is being done, in the words a user would choose.
    """
    start, shown = time.monotonic(), False
    for done, item in enumerate(iterable, 1):
        yield item
        elapsed = time.monotonic() - start
        if elapsed > QUIET_SECONDS:
            left = elapsed / done * (total - done)
            sys.stderr.write(f"\r{what} {done}/{total}, {left:.0f} s left ")
            sys.stderr.flush()
            shown = True
    if shown:
        sys.stderr.write("\n")
