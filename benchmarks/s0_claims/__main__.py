"""Judges the claims of Jones and Moore by finished grids, and writes the page about them.

    vqzoo grid discrete_vae --data FOLDER --seeds 2 --folder runs/grid
    python -m benchmarks.s0_claims Fashion-MNIST=runs/grid --page docs/s0_claims.md
"""

import argparse
import json
import pathlib
import shutil
import sys

from benchmarks.claims import verdict_table, with_tables
from benchmarks.s0_claims.claims import judge
from benchmarks.s0_claims.own_scale import gains
from vqzoo import files
from vqzoo.grid.report import RESULTS, table
from vqzoo.grid.variants import VARIANTS

TEMPLATE = pathlib.Path(__file__).with_name("page.md")
PICTURES = {
    "bits.png": "Bits per dimension by number of draws",
    "usage.png": "Histograms of code frequencies",
    "codes_quantized_marginal.png": "The VQ-VAE decodes, row by row: uniform random codes, codes of "
    "one or of another test image, samples, codes of test images",
    **{f"samples_{variant}.png": f"Samples of {variant}" for variant in VARIANTS},
}
"""Files of a grid that the page shows, where they are there, and what each is."""


def main():
    """Prints verdicts and tables of the grids that are named, and writes them to the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.s0_claims", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "grids", nargs="+", type=named_grid, metavar="NAME=FOLDER", help="a data set, its grid"
    )
    parser.add_argument("--page", type=pathlib.Path, help="page that is written, with pictures")
    arguments = parser.parse_args()
    try:
        tables = make_tables({name: content for name, _, content in arguments.grids})
        if arguments.page:
            write_page(arguments.page, tables, arguments.grids)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print("\n".join(tables.values()))


def named_grid(text):
    """Argument type: name, folder and the content of `grid.json` there."""
    name, _, folder = text.partition("=")
    folder = pathlib.Path(folder)
    try:
        return name, folder, json.loads((folder / RESULTS).read_text("utf-8"))
    except (OSError, ValueError) as error:
        message = f"{text!r} is no NAME=FOLDER of a grid: {error}"
        raise argparse.ArgumentTypeError(message) from error


def make_tables(grids):
    """Markdown by name: `verdicts`, and for each grid its table; `grids` by name, as read."""
    means = {
        name: {variant: found["mean"] for variant, found in content["variants"].items()}
        for name, content in grids.items()
    }
    parts = [
        f"### {name}\n\n{conditions(content)}\n\n{table(content['variants'])}\n"
        f"{gains(content['variants'])}\n"
        for name, content in grids.items()
    ]
    return {"verdicts": verdict_table(judge(means)), "grids": "\n".join(parts)}


def conditions(content):
    """One sentence: what the cells of a grid were trained on and where."""
    settings, results = content["settings"], []
    for variant in content["variants"].values():
        results += variant["seeds"].values()
    count = max(len(variant["seeds"]) for variant in content["variants"].values())
    hours = sum(sum(result["wall_seconds"].values()) for result in results) / 3600
    images, commits = results[0]["scores"]["images"], {str(r["commit"])[:7] for r in results}
    return (
        f"{settings['images'] or 'All'} training images, {settings['epochs']} epochs in every stage, "
        f"{count} seed{'s' * (count > 1)}. Bounds are of {images['bounds']} of {images['test']} test "
        f"images, of {images['bounds_of_few']} for S=100. {results[0]['machine']}: {hours:.1f} hours on "
        f"the clock, summed over cells. Commit {', '.join(sorted(commits))}."
    )


def write_page(page, tables, grids):
    """Writes the page, and into a folder of its name beside it each grid's numbers and pictures."""
    for name, folder, content in grids:
        place = page.with_suffix("") / folder_name(name)
        place.mkdir(parents=True, exist_ok=True)
        # Where the images lay is nobody else's concern.
        settings = {**content["settings"], "data": pathlib.Path(content["settings"]["data"]).name}
        files.write_json(place / RESULTS, {**content, "settings": settings})
        for picture in PICTURES:
            if (folder / picture).is_file():
                shutil.copy(folder / picture, place)
    shown = [pictures_of(page, name) for name, *_ in grids]
    tables = {**tables, "pictures": "\n".join(shown)}
    files.write_text(page, with_tables(TEMPLATE.read_text(encoding="utf-8"), tables))


def folder_name(name):
    """The name of a data set as that of a folder."""
    return name.lower().replace("-", "_").replace(" ", "_")


def pictures_of(page, name):
    """Markdown: the pictures of one data set, each with what it is."""
    folder = page.with_suffix("") / folder_name(name)
    shown = [
        f"{caption}:\n\n![{caption}]({page.stem}/{folder.name}/{picture})\n"
        for picture, caption in PICTURES.items()
        if (folder / picture).is_file()
    ]
    return "\n".join([f"### {name}\n", *shown])


if __name__ == "__main__":
    main()
