"""What pages that check a paper's claims share: runs that go on, verdicts, tables in Markdown."""

import dataclasses
import json
import sys

RESULT = "result.json"
"""Written into a run's folder when it is finished."""
HELD = {True: "**held**", False: "**not held**", None: "open"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One claim judged.

    Attributes:
        claim: str, what the paper says.
        criterion: str, what had to be seen.
        seen: list of str, what was seen, an item for each case.
        held: bool, or None where runs are missing.
        unit: str, what a case is.
    """

    claim: str
    criterion: str
    seen: list
    held: bool | None
    unit: str = "seed"


def judge_cases(claim, cases, unit="seed"):
    """The `Verdict` on a claim: held when it is in every case that is settled, open without one.

    Args:
        claim: function of a case that gives the claim, the criterion, and of this case what was
            seen and whether it is held, None where something is missing. It takes `{}`, too.
        cases: list of dicts.
        unit: str, what a case is.
    """
    answers = [claim(case) for case in cases] or [claim({})]
    found = [(seen, held) for *_, seen, held in answers if held is not None]
    held = all(held for _, held in found) if found else None
    return Verdict(*answers[0][:2], [seen for seen, _ in found], held, unit)


def by_seed(results):
    """The results of each seed, a list of dicts from a run's name to its result."""
    seeds = {}
    for result in results:
        seeds.setdefault(result["seed"], {})[result["name"]] = result
    return [seeds[seed] for seed in sorted(seeds)]


def wanted_names(known, only, table):
    """The names among `known` that `only` asks for, all of them for None.

    Raises:
        ValueError: if one is not in the `table`, a path.
    """
    for name in only or ():
        if name not in known:
            raise ValueError(
                f"`only` must name runs of {table.name}: {', '.join(known)}. Received: {name!r}"
            )
    return [name for name in known if not only or name in only]


def finish(runs, folder, carry_out):
    """Carries out every run that has no result yet, `carry_out(run, folder/NAME-seedSEED)`.

    One that another process has, which is a BlockingIOError, is left to it.
    """
    for run in runs:
        place = folder / f"{run.name}-seed{run.seed}"
        if (place / RESULT).exists():
            continue
        try:
            carry_out(run, place)
        except BlockingIOError as error:
            print(f"left out: {error}", file=sys.stderr)


def read_results(folder, runs):
    """The results in `folder` of those `runs` that are finished, in their order."""
    order = [(run.name, run.seed) for run in runs]
    results = [json.loads(p.read_text(encoding="utf-8")) for p in folder.glob(f"*/{RESULT}")]
    results = [result for result in results if (result["name"], result["seed"]) in order]
    return sorted(results, key=lambda result: order.index((result["name"], result["seed"])))


def provenance():
    """What figures depend on: dict of commit, machine and versions."""
    from vqzoo.training import results

    parts = results.commit(), results.machine(), results.versions()
    return dict(zip(("commit", "machine", "versions"), parts))


def with_tables(text, tables):
    """The Markdown `text` with the `tables`, a dict, between its `<!-- NAME -->` and `<!-- / -->`.

    Raises:
        ValueError: if there is no such place for a table.
    """
    for name, table in tables.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- / -->\n")
        if not end:
            raise ValueError(f"the page must have a line `<!-- {name} -->` and one `<!-- / -->`")
        text = f"{before}{start}\n{table}\n{end}{after}"
    return text


def verdict_table(verdicts):
    """Markdown: every claim with its criterion, what was seen in each case, and the verdict."""
    rows = []
    for verdict in verdicts:
        count, seen = len(verdict.seen), "; ".join(verdict.seen) or "–"
        cases = f" ({count} {verdict.unit}s)" if count > 1 else f" (one {verdict.unit})" * count
        rows.append([verdict.claim, verdict.criterion, seen, HELD[verdict.held] + cases])
    return markdown_table(["the paper says", "held if", "seen", ""], rows)


def markdown_table(header, rows):
    """A table in Markdown of str cells."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
