"""What the runs and the models say: tables in Markdown."""

from benchmarks.claims import markdown_table, verdict_table
from benchmarks.s1_claims.claims import judge


def make_tables(results, models):
    """The tables of a report: dict of a name to Markdown; arguments as for `judge`."""
    return {
        "verdicts": verdict_table(judge(results, models)),
        "runs": run_table(results),
        "levels": level_table(models),
        "generalisation": generalisation_table(models),
    }


def run_table(results):
    """Markdown: what each run was made of and what it gave."""
    header = ["run", "seed", "steps", "parameters", "code bits", "MSE", "nats per code", "s"]
    keys = ("parameters", "code_bits", "mse", "nats_per_code", "wall_seconds")
    formats = ("{:,}", "{:,.0f}", "{:.5f}", "{:.4f}", "{:,.0f}")
    rows = []
    for result in results:
        training = result["settings"].get("training", {})
        steps = training.get("autoencoder", training).get("steps", "–")
        cells = [f.format(result[key]) if key in result else "–" for key, f in zip(keys, formats)]
        rows.append([f"`{result['name']}`", str(result["seed"]), str(steps), *cells])
    return markdown_table(header, rows)


def level_table(models):
    """Markdown: errors of each model with several levels once a level says nothing."""
    header = ["model", "level", "MSE", "with another's", "times", "up to this level"]
    rows = []
    for name, scores in models.items():
        for level, found in scores.get("levels", {}).items():
            errors = [f"{found[key]:.5f}" for key in ("mse_with_other", "mse_up_to")]
            times = f"{found['times_mse']:.2f}"
            mse = f"{scores['reconstruction']['mse']:.5f}"
            rows.append([f"`{name}`", f"`{level}`", mse, errors[0], times, errors[1]])
    return markdown_table(header, rows)


def generalisation_table(models):
    """Markdown: errors and nats per code of training and of held-out images, as in Table 1."""
    header = ["model", "MSE train", "held-out", "nats per code train", "held-out"]
    rows = []
    for name, scores in models.items():
        if "generalisation" not in scores:
            continue
        found = scores["generalisation"]
        errors = found["train_mse"], scores["reconstruction"]["mse"]
        levels = [key for key in found if key.startswith("codes_")]
        parts = [found[level] for level in levels] or [found] * ("nats_per_code_ratio" in found)
        train = [part["train_nats_per_code"] for part in parts]
        test = [part["train_nats_per_code"] + part["nats_per_code_gap"] for part in parts]
        nats = [", ".join(f"{value:.3f}" for value in column) or "–" for column in (train, test)]
        rows.append([f"`{name}`", *(f"{error:.5f}" for error in errors), *nats])
    return markdown_table(header, rows)
