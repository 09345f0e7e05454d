"""What the paper claims, and by which figures each claim is held or not held.

The paper is Kumar, Deleu and Racah, Reproducing Neural Discrete Representation Learning (2019).

The criteria were written down before the runs were made. A claim is held when it is in every seed
whose runs are finished, not held when it fails in one, and open (None) while no seed has all runs.
"""

import functools

from benchmarks.claims import by_seed, judge_cases

SHORT = 20
"""Epoch at which a run is compared with the shorter ones."""
SIMILAR = 0.1
"""Errors that differ by no more than this share are "very similar"."""
FASTER = 0.5
"""Convergence is "much faster" when at most this share of the epochs is needed."""
DIVERGED = 2.0
"""A run has diverged when its error ends at this multiple of its lowest one, or more."""
FAILS = 0.5
"""A model fails when it leaves this share of what the mean image leaves, or more."""
TABLE_1 = {"cifar10": (5.852, 0.0135), "mnist": (6.221, 0.0218), "fashion_mnist": (6.228, 0.0121)}
"""Data set to bits as printed and the mean squared error, on -1..1, that they imply: VQ-VAE."""
TABLE_1_VAE = {"cifar10": 5.681, "mnist": 5.705, "fashion_mnist": 5.685}
"""Data set to bits as printed: VAE."""
NEAR = 0.02
"""Bits that a figure of the VAE may differ; 5.674 of each are constants of Equation 7."""


def judge(results):
    """Verdicts on all claims, a list of `Verdict`.

    Args:
        results: list of dicts, the contents of the runs' `result.json`.
    """
    claims = [frozen_codebook, batch_size, commitment_cost, batch_norm]
    claims += [functools.partial(vqvae_row, name=name) for name in TABLE_1]
    claims += [functools.partial(vae_row, name=name) for name in TABLE_1_VAE]
    claims += [order_of_families]
    return [judge_cases(claim, by_seed(results)) for claim in claims]


def frozen_codebook(runs):
    """Section 3.3: a codebook that is never trained gives very similar results."""
    claim = "A random codebook that is never trained gives very similar results (Section 3.3)"
    criterion = f"MNIST, epoch {SHORT}: the two errors differ by at most {SIMILAR:.0%}"
    if not {"mnist", "mnist_frozen"} <= set(runs):
        return claim, criterion, "", None
    frozen, trained = mse_at(runs["mnist_frozen"]), mse_at(runs["mnist"])
    seen = f"frozen {_number(frozen)}, trained {_number(trained)}"
    return claim, criterion, seen, abs(frozen / trained - 1) <= SIMILAR


def batch_size(runs):
    """Section 2.1: batch 32 converges much faster than batch 128."""
    claim = "Batches of 32 converge much faster than batches of 128 (Section 2.1)"
    criterion = (
        f"MNIST: with 32, at most {FASTER:.0%} of the {SHORT} epochs reach the error that 128 "
        "ends at"
    )
    if not {"mnist", "mnist_batch_128"} <= set(runs):
        return claim, criterion, "", None
    goal = mse_at(runs["mnist_batch_128"])
    needed = epochs_to_reach(runs["mnist"], goal)
    seen = f"error {_number(goal)} reached after {needed or 'none'} of {SHORT} epochs"
    return claim, criterion, seen, needed is not None and needed <= FASTER * SHORT


def commitment_cost(runs):
    """Section 2.1: beta = 1 is stable, beta = 0.25 diverges after 50 epochs."""
    claim = "β = 0.25 diverges after 50 epochs, β = 1 does not (Section 2.1)"
    criterion = (
        f"MNIST, 60 epochs: only with 0.25 a number stops being finite, or the mean error of the "
        f"last three epochs is {DIVERGED:g} times the lowest or more"
    )
    if not {"mnist", "mnist_beta_quarter"} <= set(runs):
        return claim, criterion, "", None
    quarter, one = runs["mnist_beta_quarter"], runs["mnist"]
    seen = f"last over lowest: {_number(growth(quarter))} with 0.25, {_number(growth(one))} with 1"
    return claim, criterion, seen, has_diverged(quarter) and not has_diverged(one)


def batch_norm(runs):
    """Section 2.1: batch normalisation is essential on MNIST alone."""
    claim = "Without batch normalisation the model fails on MNIST, and on MNIST alone (Section 2.1)"
    criterion = (
        f"epoch {SHORT}: without it the error on MNIST is at least {FAILS:.0%} of what the mean "
        "image leaves, on the other sets, and with it, less"
    )
    plain = [f"{name}_no_batch_norm" for name in ("mnist", "fashion_mnist", "cifar10")]
    if not {"mnist", plain[0]} <= set(runs):
        return claim, criterion, "", None
    shares = {name: share_left(runs[name]) for name in ("mnist", *plain) if name in runs}
    fails = {name: share is None or share >= FAILS for name, share in shares.items()}
    seen = ", ".join(f"`{name}` {_number(share)}" for name, share in shares.items())
    held = fails.pop(plain[0]) and not any(fails.values())
    # That MNIST does not fail settles it; that it alone does takes all sets.
    return claim, criterion, seen, None if held and not set(plain) <= set(runs) else held


def vqvae_row(runs, name):
    """Table 1, VQ-VAE: the printed bits of Equation 7, by the error that they imply."""
    printed, implied = TABLE_1[name]
    claim = f"Table 1, VQ-VAE on `{name}`: {printed} bits by Equation 7, an error of {implied}"
    criterion = f"error at most {SIMILAR:.0%} above {implied}"
    if name not in runs:
        return claim, criterion, "", None
    scores = runs[name]["scores"]
    if scores is None:
        return claim, criterion, runs[name]["ended_early"], False
    seen = f"error {_number(scores['mse'])}, Equation 7 {scores['legacy']['s3_eq7_bits']:.3f}"
    return claim, criterion, seen, scores["mse"] <= (1 + SIMILAR) * implied


def vae_row(runs, name):
    """Table 1, VAE: the printed bits of Equation 7."""
    printed = TABLE_1_VAE[name]
    claim = f"Table 1, VAE on `{name}`: {printed} bits by Equation 7"
    criterion = f"Equation 7 at most {NEAR} bits from it"
    run = runs.get(f"{name}_vae")
    if run is None:
        return claim, criterion, "", None
    if run["scores"] is None:
        return claim, criterion, run["ended_early"], False
    bits = run["scores"]["legacy"]["s3_eq7_bits"]
    seen = f"Equation 7 {bits:.3f}, error {_number(run['scores']['mse'])}"
    return claim, criterion, seen, abs(bits - printed) <= NEAR


def order_of_families(runs):
    """Table 1: a VAE needs fewer bits than a VQ-VAE."""
    claim = "Table 1: the VAE needs fewer bits than the VQ-VAE, on all three sets"
    criterion = "the bound on bits/dim is lower for the VAE, on each set"
    found = {name: run["scores"]["bits_per_dim"] for name, run in runs.items() if run["scores"]}
    bits = {
        name: (found[f"{name}_vae"], found[name])
        for name in TABLE_1
        if {name, f"{name}_vae"} <= set(found)
    }
    if not bits:
        return claim, criterion, "", None
    seen = ", ".join(f"`{name}` {vae:.3f} and {vqvae:.3f}" for name, (vae, vqvae) in bits.items())
    held = all(vae < vqvae for vae, vqvae in bits.values())
    return claim, criterion, seen, None if held and len(bits) < len(TABLE_1) else held


def mse_at(result, epoch=SHORT):
    """Held-out error after `epoch` epochs; infinite where the run had ended before."""
    rows = [row["mse"] for row in result["curve"] if row["epoch"] == epoch]
    return rows[0] if rows and rows[0] is not None else float("inf")


def epochs_to_reach(result, goal):
    """First epoch up to `SHORT` whose held-out error is at most `goal`, or None."""
    rows = (row for row in result["curve"] if row["epoch"] <= SHORT and row["mse"] is not None)
    return next((int(row["epoch"]) for row in rows if row["mse"] <= goal), None)


def growth(result):
    """Mean held-out error of the last three epochs over the lowest; None if a number failed."""
    errors = [row["mse"] for row in result["curve"]]
    if result["ended_early"] or None in errors:
        return None
    last = errors[-3:]
    return sum(last) / len(last) / min(errors)


def has_diverged(result):
    """Whether numbers stopped being finite or the error grew to `DIVERGED` times its lowest."""
    grown = growth(result)
    return grown is None or grown >= DIVERGED


def share_left(result):
    """Error at epoch `SHORT` as a share of what the mean image leaves; None if a number failed."""
    return mse_at(result) / result["scores"]["blank_mse"] if result["scores"] else None


def _number(value):
    return "not finite" if value is None else f"{value:.4g}"
