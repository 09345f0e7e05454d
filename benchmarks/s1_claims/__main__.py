"""Checks the claims of VQ-VAE-2: carries out the runs of `runs.yaml`, then judges.

    python -m benchmarks.s1_claims --data FOLDER --codes RUN/codes/train --folder runs/s1

Called again it goes on: finished runs are kept, one that was killed continues where it was. Two
commands may share a folder; a run that the other one has is left to it.
"""

import argparse
import pathlib
import sys

from benchmarks.claims import finish, read_results, with_tables
from benchmarks.s1_claims.report import make_tables
from benchmarks.s1_claims.runs import carry_out, read_runs
from vqzoo import files, zoo

TEMPLATE = pathlib.Path(__file__).with_name("page.md")
NEEDED = {"autoencoder": "data", "prior": "codes"}


def main():
    """Carries out what is not finished, then writes and prints what all finished runs say."""
    parser = make_parser()
    arguments = parser.parse_args()
    try:
        runs = read_runs(only=arguments.only, seeds=arguments.seed)
    except ValueError as error:
        parser.error(str(error))
    try:
        train(runs, vars(arguments), arguments.folder)
        report(arguments.folder, arguments.models, arguments.page)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def make_parser():
    """The `argparse.ArgumentParser` of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.s1_claims", description=__doc__.splitlines()[0]
    )
    path = pathlib.Path
    parser.add_argument(
        "--data", action="append", help="folder of images for the autoencoders; may be repeated"
    )
    parser.add_argument("--codes", type=path, help="code store for the priors, RUN/codes/train")
    parser.add_argument("--folder", type=path, default="runs/s1", help="where runs are kept")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="runs of runs.yaml")
    parser.add_argument("--seed", nargs="+", type=int, help="seeds, 0 and 1 if not given")
    parser.add_argument(
        "--models", nargs="+", default=zoo.list_models(pretrained=True), metavar="MODEL",
        help="entries or folders whose results are judged; all entries with weights if not given",
    )  # fmt: skip
    parser.add_argument("--page", type=path, help="page that is written, with all tables")
    return parser


def train(runs, sources, folder):
    """Carries out every run without a result whose source, `data` or `codes`, is given."""

    def carry_out_or_say(run, place):
        needed = NEEDED.get(run.stage)
        if needed and not sources[needed]:
            print(f"left out: {run.name}, which needs --{needed}", file=sys.stderr)
            return
        carry_out(run, sources.get(needed), place)

    finish(runs, folder, carry_out_or_say)


def report(folder, models, page=None):
    """Prints the tables of the finished runs in `folder` and of the results of `models`.

    Args:
        folder: path; `results.json` is written to it.
        models: list of str, entries or folders of models.
        page: path of a Markdown page, or None: it is written, and `results.json` into a folder
            of its name beside it.
    """
    results = read_results(folder, read_runs())
    found = {pathlib.Path(name).name: zoo.describe(name)["results"] for name in models}
    models = {name: content.get("scores", {}) for name, content in found.items()}
    tables = make_tables(results, models)
    if page:
        files.write_text(page, with_tables(TEMPLATE.read_text(encoding="utf-8"), tables))
    for place in (folder, page and page.with_suffix("")):
        if place:
            place.mkdir(parents=True, exist_ok=True)
            files.write_json(place / "results.json", {"runs": results, "models": models})
    print("\n".join(tables.values()))


if __name__ == "__main__":
    main()
