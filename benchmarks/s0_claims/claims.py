"""What the paper claims, and by which figures each claim is held or not held.

The paper is Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020). The criteria
were committed while the first of the published runs was in training. All figures are means over
seeds.
"""

from benchmarks.claims import judge_cases

VQVAE, BEST_JOINT = "quantized_marginal", "categorical_joint"
MARGINAL = ("quantized_marginal", "categorical_marginal")
UNIFORM = ("quantized_uniform", "categorical_uniform")
WORST = "categorical_marginal"
BITS, NATS_PER_CODE = "bits_per_dim.10.mean", "kl_per_code"
"""The bound by ten draws, in bits per dimension."""

CLOSE = 0.5
"""Joint training is "not too far behind" when it lies nearer to the best than to the models with a
uniform prior."""
ACTIVE = 0.1
"""Nats of divergence per code below which a posterior counts as collapsed to its prior."""
ONE_HOT = 0.9
"""Mean of the largest weight from which on a relaxed sample counts as close to one-hot."""
FARTHER = 2.0
"""Images count as not natural when they are so many times as far from real ones as samples."""


def judge(grids):
    """Verdicts on all claims, a list of `Verdict`; a case is a data set.

    Args:
        grids: dict of a data set's name to the `mean` of each variant, a dict of numbers by name.
    """
    cases = [{"data": name, **variants} for name, variants in grids.items()]
    checks = (vqvae_is_best, joint_is_close, uniform_trails, marginal_is_worst)
    checks += (marginal_samples_better, indices_collapse, second_largest_spike)
    checks += (no_posterior_collapse, vqvae_samples_best, most_codes_are_not_natural, close_to_one_hot)
    return [judge_cases(check, cases, "data set") for check in checks]


def values(case, key):
    """The number called `key` of each variant that has it."""
    found = {name: mean[key] for name, mean in case.items() if name != "data" and key in mean}
    return found


def listed(case, found, digits=3):
    """Text: the data set and a number for each variant, smallest first."""
    order = sorted(found, key=found.get)
    numbers = ", ".join(f"{name} {found[name]:.{digits}f}" for name in order)
    return f"{case['data']}: {numbers}"


def whole(found):
    """Whether there is a number for each of the six variants."""
    return len(found) == 6


def vqvae_is_best(case):
    """Section 5.1: the VQ-VAE outperforms all other variants."""
    claim = "The VQ-VAE has the best likelihood of held-out images (Section 5.1)"
    criterion = "the fewest bits per dimension of all six, by ten draws"
    found = values(case, BITS)
    if not whole(found):
        return claim, criterion, "", None
    return claim, criterion, listed(case, found), min(found, key=found.get) == VQVAE


def joint_is_close(case):
    """Section 5.1: joint training is not too far behind."""
    claim = "Categorical, PixelCNN++, Joint is not far behind (Section 5.1)"
    criterion = "second, and nearer to the best than to either uniform prior"
    found = values(case, BITS)
    if not whole(found):
        return claim, criterion, "", None
    order = sorted(found, key=found.get)
    gap = found[BEST_JOINT] - found[order[0]]
    uniform = min(found[name] for name in UNIFORM) - found[order[0]]
    place = order.index(BEST_JOINT) + 1
    seen = f"{case['data']}: place {place}, {gap:.3f} behind the best, uniform priors {uniform:.3f}"
    return claim, criterion, seen, place == 2 and gap < CLOSE * uniform


def uniform_trails(case):
    """Section 5.1: models with uniform priors underperform."""
    claim = "Models with a uniform prior trail both (Section 5.1)"
    criterion = "more bits per dimension than the VQ-VAE and Categorical, Joint"
    found = values(case, BITS)
    if not whole(found):
        return claim, criterion, "", None
    best, ahead = min(found[name] for name in UNIFORM), max(found[VQVAE], found[BEST_JOINT])
    seen = f"{case['data']}: uniform {best:.3f} or more, the two {ahead:.3f} or less"
    return claim, criterion, seen, best > ahead


def marginal_is_worst(case):
    """Section 5.1: the model that is not trained by a valid bound performs worst."""
    claim = "Categorical, Marginal is worst (Section 5.1)"
    criterion = "the most bits per dimension of all six, by ten draws"
    found = values(case, BITS)
    if not whole(found):
        return claim, criterion, "", None
    worst = max(found, key=found.get)
    seen = f"{case['data']}: worst is {worst} with {found[worst]:.3f}; it has {found[WORST]:.3f}"
    return claim, criterion, seen, worst == WORST


def marginal_samples_better(case):
    """Section 5.3: yet its samples are far better than those of uniform priors."""
    claim = "Yet its samples beat those of uniform priors (Section 5.3)"
    criterion = "a lower Fréchet distance than both"
    found = values(case, "fid.samples")
    if not whole(found):
        return claim, criterion, "", None
    uniform = min(found[name] for name in UNIFORM)
    seen = f"{case['data']}: {found[WORST]:.1f} against {uniform:.1f}"
    return claim, criterion, seen, found[WORST] < uniform


def indices_collapse(case):
    """Section 5.2: marginal training suffers from index collapse, joint training mitigates it."""
    claim = "Marginal training leaves more codes unused than joint training (Section 5.2)"
    criterion = "a larger share of codes below 1e-4 in both marginal variants than in all others"
    found = values(case, "rare_codes")
    if not whole(found):
        return claim, criterion, "", None
    marginal = min(found[name] for name in MARGINAL)
    others = max(value for name, value in found.items() if name not in MARGINAL)
    return claim, criterion, listed(case, found), marginal > others


def second_largest_spike(case):
    """Section 5.2: the VQ-VAE has the second-largest spike at 0, and the best likelihood."""
    claim = "The VQ-VAE has the second-largest share of unused codes (Section 5.2)"
    criterion = "second among shares of codes below 1e-4"
    found = values(case, "rare_codes")
    if not whole(found):
        return claim, criterion, "", None
    above = sum(value > found[VQVAE] for value in found.values())
    below = sum(value < found[VQVAE] for value in found.values())
    seen = f"{case['data']}: {found[VQVAE]:.3f}, {above} have more and {below} less"
    return claim, criterion, seen, (above, below) == (1, len(found) - 2)


def no_posterior_collapse(case):
    """Section 5.2: no model suffers from posterior collapse."""
    claim = "No variant's posterior collapses to the prior (Section 5.2)"
    criterion = f"more than {ACTIVE} nats of divergence per code in every variant"
    found = values(case, NATS_PER_CODE)
    if not whole(found):
        return claim, criterion, "", None
    return claim, criterion, listed(case, found, 2), min(found.values()) > ACTIVE


def vqvae_samples_best(case):
    """Section 5.3: the VQ-VAE's samples are moderately superior."""
    claim = "The VQ-VAE's samples are the best (Section 5.3)"
    criterion = "the lowest Fréchet distance of samples"
    found = values(case, "fid.samples")
    if not whole(found):
        return claim, criterion, "", None
    return claim, criterion, listed(case, found, 1), min(found, key=found.get) == VQVAE


def most_codes_are_not_natural(case):
    """Section 1: most latent codes do not decode to natural images."""
    claim = "Most codes do not decode to natural images (Section 1)"
    criterion = (
        f"uniform codes, and codes between two images, {FARTHER:g} times as far from real images "
        "as the VQ-VAE's samples"
    )
    mean = case.get(VQVAE, {})
    if "fid.samples" not in mean:
        return claim, criterion, "", None
    samples = mean["fid.samples"]
    times = [mean[f"fid.{kind}"] / samples for kind in ("uniform_codes", "codes_between_images")]
    seen = f"{case['data']}: {times[0]:.2f} and {times[1]:.2f} times {samples:.1f}"
    return claim, criterion, seen, min(times) >= FARTHER


def close_to_one_hot(case):
    """Section 3.2: at the last temperature samples are sufficiently close to one-hot."""
    claim = "At a temperature of 0.1 samples are close to one-hot (Section 3.2)"
    criterion = (
        f"a mean largest weight of {ONE_HOT} or more in every variant that draws (a low bar: 256 "
        "equally likely codes have 0.930)"
    )
    found = values(case, "largest_weight")
    if len(found) < 5:
        return claim, criterion, "", None
    return claim, criterion, listed(case, found), min(found.values()) >= ONE_HOT
