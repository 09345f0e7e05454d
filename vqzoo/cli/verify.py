"""`vqzoo verify`: checksums of all weights that are installed."""

from vqzoo import zoo
from vqzoo.cli.image_files import counted

HELP = "Checksums of all installed weights."
EXAMPLE = "vqzoo verify"


def add_arguments(parser):
    """Adds the arguments of `vqzoo verify`."""
    del parser  # it takes none


def run(arguments):
    """Prints what each weights file is worth: whether its SHA-256 is the published one.

    Raises:
        ValueError: if a file is damaged or missing, after all were looked at.
    """
    del arguments
    bad = 0
    for path, problem in zoo.verify():
        print(f"{'ok  ' if problem is None else 'BAD '} {path}")
        if problem:
            print(f"     {problem}")
            bad += 1
    if bad:
        raise ValueError(f"not what they were published as: {counted(bad, 'file')}")
