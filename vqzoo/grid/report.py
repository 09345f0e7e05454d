"""What became of a grid: its numbers in one file, a table, pictures."""

import json
import re
import shutil
import statistics

from vqzoo import files
from vqzoo.grid import pictures
from vqzoo.grid.cell import CODES, SAMPLES, SCORES
from vqzoo.grid.turns import alone
from vqzoo.grid.variants import GRIDS, arguments

RESULTS, TABLE = "grid.json", "table.md"

COLUMNS = {
    "bits/dim, S=1": "bits_per_dim.1.mean",
    "S=10": "bits_per_dim.10.mean",
    "S=100, of few": "bits_per_dim_of_few.100.mean",
    "decoder": "decoder_bits_per_dim",
    "KL": "kl_bits_per_dim",
    "KL/code, nats": "kl_per_code",
    "perplexity": "perplexity",
    "codes < 1e-4": "rare_codes",
    "largest weight": "largest_weight",
    "FID": "fid.samples",
    "of reconstructions": "fid.reconstructions",
    "of codes between images": "fid.codes_between_images",
    "of uniform codes": "fid.uniform_codes",
}
"""Columns of the table, and where in a cell's scores each number is."""


def write_report(folder, settings):
    """Writes `grid.json`, `table.md` and the pictures of all cells that are finished.

    Args:
        folder: path of the grid.
        settings: dict, what its cells have in common; `grid` names it.

    Returns:
        dict, the content of `grid.json`: `settings`; `variants`, by name a dict of the three
        arguments, `paper_bits_per_dim`, `mean` and `spread` over seeds, and `seeds`, by str of the
        seed the content of its `scores.json` but for the configuration.

    Raises:
        OSError: if a file cannot be written.
    """
    with alone(folder):  # so that what is written last is what was read last
        return _write(folder, settings)


def _write(folder, settings):
    variants = {}
    for variant in GRIDS[settings["grid"]]:
        found = _finished(folder, variant)
        if found:
            variants[variant] = _summary(found)
            for name in (SAMPLES, CODES):
                picture = folder / f"{variant}-seed{min(found)}" / name
                with files.whole_file(folder / f"{picture.stem}_{variant}.png") as temporary:
                    shutil.copy(picture, temporary)
    content = {"settings": settings, "definitions": "docs/numbers.md", "variants": variants}
    files.write_json(folder / RESULTS, content)
    files.write_text(folder / TABLE, table(variants))
    if variants:  # else another process still has all cells
        pictures.draw_usage(folder / "usage.png", variants)
        pictures.draw_bits(folder / "bits.png", variants)
    return content


def _finished(folder, variant):
    """The results of a variant's finished cells, by their seeds."""
    names = [(re.fullmatch(rf"{variant}-seed(\d+)", path.name), path) for path in folder.iterdir()]
    paths = {int(name[1]): path for name, path in names if name}
    return {
        seed: json.loads((path / SCORES).read_text("utf-8"))
        for seed, path in sorted(paths.items())
        if (path / SCORES).is_file()
    }


def _summary(results):
    """What is known of one variant; `results` by seed."""
    config = next(iter(results.values()))["config"]
    paper = config["paper"].get("numbers", {}).get("celeb_a_64_bits_per_dim")
    flat = [_flat(result["scores"]) for result in results.values()]
    shared = [name for name in flat[0] if all(name in scores for scores in flat)]
    values = {name: [scores[name] for scores in flat] for name in shared}
    return {
        **arguments(config),
        "paper_bits_per_dim": paper,
        "mean": {name: statistics.fmean(found) for name, found in values.items()},
        "spread": {
            name: statistics.stdev(found) for name, found in values.items() if len(found) > 1
        },
        "seeds": {
            str(seed): {key: value for key, value in result.items() if key != "config"}
            for seed, result in results.items()
        },
    }


def _flat(scores, prefix=""):
    """Every number of nested dicts by its dotted name, without what is no single number."""
    found = {}
    for key, value in scores.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)):
            found[f"{prefix}{key}"] = value
    return found


def table(variants):
    """A Markdown table, a row for each variant: mean and, of several seeds, standard deviation.

    Args:
        variants: dict as `write_report` gives it.

    Returns:
        str, its columns aligned.
    """
    means = [variant["mean"] for variant in variants.values()]
    shown = [title for title, key in COLUMNS.items() if any(key in mean for mean in means)]
    rows = [["variant", "paper (CelebA 64x64)", *shown]]
    for name, variant in variants.items():
        cells = [_cell(variant, COLUMNS[title]) for title in shown]
        rows.append([name, str(variant["paper_bits_per_dim"] or ""), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    lines = (" | ".join(map(str.ljust, row, widths)) for row in rows)
    return "".join(f"| {line} |\n" for line in lines)


def _cell(variant, key):
    """A score's mean and spread: three digits after the point, or one from 10 on; "" for none."""
    mean, spread = variant["mean"].get(key), variant["spread"].get(key)
    if mean is None:
        return ""
    digits = 3 if abs(mean) < 10 else 1
    return f"{mean:.{digits}f}" + (f" ± {spread:.{digits}f}" if spread is not None else "")
