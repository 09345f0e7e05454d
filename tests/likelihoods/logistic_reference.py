"""The discretised logistic in decimal numbers of 60 digits: differences of sigmoids as printed."""

import decimal

CONTEXT = decimal.Context(prec=60, Emin=-(10**12), Emax=10**12)


def sigmoid(x):
    return 1 / (1 + CONTEXT.exp(-x))


def slow_log_mass(value, mean, scale, num_bins=256, start=-0.5, saturate=True):
    """Log of the logistic's mass on [value + start, value + start + 1), or on the tails."""
    with decimal.localcontext(CONTEXT):
        mean, scale = decimal.Decimal(mean), decimal.Decimal(scale)
        lower = (decimal.Decimal(value + start) - mean) / scale
        upper = lower + 1 / scale
        if lower > 0:  # mirrored: 60 digits are too few for a number so near to 1
            lower, upper, low_end, high_end = -upper, -lower, num_bins - 1, 0
        else:
            low_end, high_end = 0, num_bins - 1
        above = 1 if saturate and value == high_end else sigmoid(upper)
        below = 0 if saturate and value == low_end else sigmoid(lower)
        return float(CONTEXT.ln(above - below))
