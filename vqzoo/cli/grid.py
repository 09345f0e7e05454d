"""`vqzoo grid`: every variant of a model, trained and scored on the same images."""

import argparse

from vqzoo.checks import nearest
from vqzoo.cli import backend
from vqzoo.cli.arguments import UsageError, output_folder, positive_int

HELP = "Every variant of a model, trained and scored on the same images."
EXAMPLE = "vqzoo grid discrete_vae --data my_images/ --seeds 2 --folder runs/grid"
NAMES = ("discrete_vae",)


def add_arguments(parser):
    """Adds the arguments of `vqzoo grid`."""
    parser.add_argument("name", type=grid_name, metavar="GRID", help=" or ".join(NAMES))
    parser.add_argument(
        "--data", required=True, metavar="NAME_OR_FOLDER", help="a data set of the zoo, or images"
    )
    parser.add_argument(
        "--seeds", type=positive_int, metavar="N", help="trainings of each (default 2)"
    )
    parser.add_argument(
        "--images", type=positive_int, metavar="N", help="to train on, evenly spaced (default all)"
    )
    parser.add_argument(
        "--epochs", type=positive_int, metavar="E", help="passes of every stage (default 10)"
    )
    parser.add_argument(
        "--folder", type=output_folder, metavar="RUNS", help="default runs/grid_GRID; it goes on"
    )
    parser.add_argument(
        "--only", action="append", metavar="VARIANT", help="and the one whose scale it needs"
    )
    parser.add_argument("--smoke", action="store_true", help="the whole grid, tiny: a minute")


def grid_name(text):
    """Argument type: a grid's name; raises `ArgumentTypeError` if there is none."""
    if text in NAMES:
        return text
    meant = nearest(text, NAMES)
    raise argparse.ArgumentTypeError(f"no grid named {text!r}; did you mean {meant}?")


def run(arguments):
    """Trains what is not trained yet, prints the table and writes it with pictures and numbers.

    Raises:
        UsageError: if an argument is wrong, or the folder holds another grid.
        OSError, ValueError, FloatingPointError: as for `vqzoo.grid.Grid.run`.
    """
    backend.start(arguments.debug)
    from vqzoo.grid import Grid
    from vqzoo.grid.report import table

    options = ("name", "data", "seeds", "images", "epochs", "folder", "only", "smoke")
    try:
        grid = Grid(**{option: getattr(arguments, option) for option in options})
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(str(error)) from error
    print(table(grid.run()["variants"]), end="")
    print(f"wrote grid.json, table.md and pictures to {grid.folder}")
