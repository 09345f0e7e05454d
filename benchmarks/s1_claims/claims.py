"""What the paper claims, and by which figures each claim is held or not held.

The paper is Razavi, van den Oord and Vinyals, Generating Diverse High-Fidelity Images with
VQ-VAE-2 (2019). The criteria were written down before the runs were made.
"""

from benchmarks.claims import by_seed, judge_cases

TIMES = 2.0
"""A level earns its place when another image's codes in it raise the error so many times."""
CLOSE_NATS, CLOSE_MSE = 0.05, 0.10
"""Held-out figures are "close" when they are at most this share above those of training images;
Table 1 of the paper has 0.3 % and 6 %."""
FASTER = 10.0
"""An order of magnitude."""


def judge(results, models):
    """Verdicts on all claims, a list of `Verdict`.

    Args:
        results: list of dicts, the contents of the runs' `result.json`.
        models: dict of a model's name to its `scores` as `vqzoo evaluate` gives them.
    """
    seeds = by_seed(results)
    named = [{"name": name, **scores} for name, scores in models.items()]
    return [
        judge_cases(levels_complement_each_other, named, "model"),
        judge_cases(hierarchy_at_equal_bits, seeds),
        judge_cases(attention_at_the_top, seeds),
        judge_cases(priors_generalise, named, "model"),
        judge_cases(autoencoders_generalise, named, "model"),
        judge_cases(faster_than_pixels, seeds),
    ]


def levels_complement_each_other(model):
    """Section 3.1: each level holds what the others do not."""
    claim = "The levels complement each other: each holds what the others do not (Section 3.1)"
    criterion = f"another image's codes in any one level raise the error {TIMES:g} times or more"
    if "levels" not in model:
        return claim, criterion, "", None
    times = [level["times_mse"] for level in model["levels"].values()]
    seen = f"`{model['name']}` {', '.join(f'{value:.3g}' for value in times)} times, coarse to fine"
    return claim, criterion, seen, min(times) >= TIMES


def hierarchy_at_equal_bits(runs):
    """Section 3.1: levels of codes do better than one level of as many bits."""
    claim = "A hierarchy reconstructs better than one level of codes (Section 3.1)"
    criterion = "equal bits and equal steps: the error is lower with two levels"
    if not {"two_levels", "one_level"} <= set(runs):
        return claim, criterion, "", None
    two, one = runs["two_levels"]["mse"], runs["one_level"]["mse"]
    return claim, criterion, f"two {two:.4g}, one {one:.4g}", two < one


def attention_at_the_top(runs):
    """Section 3.2: attention lets the coarsest level see far."""
    claim = "Attention improves the prior of the coarsest level (Section 3.2)"
    criterion = "equal depth: fewer nats per code with attention, on maps held out"
    if not {"attention", "no_attention"} <= set(runs):
        return claim, criterion, "", None
    found, without = (runs[name]["nats_per_code"] for name in ("attention", "no_attention"))
    return claim, criterion, f"with {found:.4f}, without {without:.4f}", found < without


def priors_generalise(model):
    """Table 1: the prior predicts held-out codes as well as those it was trained on."""
    claim = "The priors do not overfit (Table 1)"
    criterion = f"nats per code, every level: held-out at most {CLOSE_NATS:.0%} above training"
    found = model.get("generalisation", {})
    if "nats_per_code_ratio" not in found:
        return claim, criterion, "", None
    levels = [value for key, value in found.items() if key.startswith("codes_")] or [found]
    gaps = [level["nats_per_code_ratio"] - 1 for level in levels]
    seen = f"`{model['name']}` {', '.join(f'{gap:+.1%}' for gap in gaps)}"
    return claim, criterion, seen, max(gaps) <= CLOSE_NATS


def autoencoders_generalise(model):
    """Table 1: held-out images are reconstructed as well as those it was trained on."""
    claim = "The autoencoders do not overfit (Table 1)"
    criterion = f"mean squared error: held-out at most {CLOSE_MSE:.0%} above training"
    found = model.get("generalisation", {})
    # Of a tokenizer alone crops of its training mixture are scored: other pictures than those held out.
    if "nats_per_code_ratio" not in found:
        return claim, criterion, "", None
    gap = found["mse_gap"] / found["train_mse"]
    return claim, criterion, f"`{model['name']}` {gap:+.1%}", gap <= CLOSE_MSE


def faster_than_pixels(runs):
    """Abstract: sampling in the latent space takes an order of magnitude less time."""
    claim = "Sampling codes is an order of magnitude faster than sampling pixels (abstract)"
    criterion = f"256x256: drawing pixels takes {FASTER:g} times the time of codes and decoder"
    if "speed" not in runs:
        return claim, criterion, "", None
    run = runs["speed"]
    codes, pixels = run["code_seconds"] + run["decoder_seconds"], run["pixel_seconds"]
    seen = (
        f"{codes:.3g} s against {pixels:.3g} s, {pixels / codes:.1f} times; "
        f"{run['pixel_values'] / run['codes']:.1f} times fewer codes than values"
    )
    return claim, criterion, seen, pixels / codes >= FASTER
