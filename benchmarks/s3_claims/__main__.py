"""Checks the claims of a reproduction of VQ-VAE: trains the runs of `runs.yaml`, then judges.

    python -m benchmarks.s3_claims --data FOLDER --folder runs/s3

Called again it goes on: finished runs are kept, one that was killed continues where it was. Two
commands may share a folder; a run that the other one has is left to it.
"""

import argparse
import pathlib
import sys

from benchmarks.claims import finish, read_results, with_tables
from benchmarks.s3_claims.report import draw_curves, make_tables
from benchmarks.s3_claims.runs import Images, read_runs
from benchmarks.s3_claims.training import carry_out
from vqzoo import files


def main():
    """Trains what is not trained, then writes and prints what all finished runs say."""
    parser = make_parser()
    arguments = parser.parse_args()
    try:
        runs = read_runs(only=arguments.only, seeds=arguments.seed)
        images = Images(arguments.data, arguments.images)
    except ValueError as error:
        parser.error(str(error))
    try:
        train(runs, images, arguments.folder)
        report(arguments.folder, arguments.page)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def make_parser():
    """The `argparse.ArgumentParser` of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.s3_claims", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", help="folder of folders of images: mnist, fashion_mnist, cifar10")
    path = pathlib.Path
    parser.add_argument("--folder", type=path, default="runs/s3", help="where runs are kept")
    parser.add_argument("--images", type=int, help="training images used, evenly spaced; or all")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="runs of runs.yaml to train")
    parser.add_argument("--seed", nargs="+", type=int, help="seeds to train, 0 and 1 if not given")
    parser.add_argument("--page", type=path, help="page whose tables are brought up to date")
    return parser


def train(runs, images, folder):
    """Carries out every run that has no result yet, each in `folder/NAME-seedSEED`."""
    finish(runs, folder, lambda run, place: carry_out(run, images(run.data), place))


def report(folder, page=None):
    """Prints the tables of all finished runs in `folder` and draws their curves there.

    Args:
        folder: path; `results.json` and `curves.png` are written to it.
        page: path of a Markdown page, or None: its tables are replaced, and the two files are
            written beside it, into a folder of its name.

    Raises:
        ValueError: if the page has no place for a table.
    """
    results = read_results(folder, read_runs())
    tables = make_tables(results)
    if page:
        files.write_text(page, with_tables(page.read_text(encoding="utf-8"), tables))
    for place in (folder, page and page.with_suffix("")):
        if place:
            files.write_json(place / "results.json", results)
            draw_curves(place / "curves.png", results)
    print("\n".join(tables.values()))


if __name__ == "__main__":
    main()
