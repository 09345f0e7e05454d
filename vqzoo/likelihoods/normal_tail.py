"""The tail of the standard normal distribution, in log space, from 0 to infinity."""

import math

from keras import ops

SCALED_TAIL_AT_ZERO = math.sqrt(2 / math.pi)
# Chebyshev interpolation of degree 10 of (x + sqrt(2 / pi)) exp(x^2 / 2) Q(x) over
# y = (x - 3) / (x + 3) in [-1, 1], as powers of y: relative error 2e-8, below float32's own.
COEFFICIENTS = (
    0.461495954,
    -0.0548095665,
    -0.0413382823,
    0.0545035148,
    -0.0239640393,
    0.00057894395,
    0.00318673596,
    -0.000300960284,
    -0.000500254363,
    2.80662552e-05,
    6.21715649e-05,
)


def scaled_tail(x):
    """exp(x^2 / 2) Q(x) for float `x` >= 0 of any shape, Q(x) being the probability to exceed `x`.

    Up to the factor sqrt(2 pi) it is Mills' ratio, https://en.wikipedia.org/wiki/Mills_ratio.
    It falls from 1/2 at 0 like 1 / (x sqrt(2 pi)), so neither it nor its gradient under- or
    overflows where Q(x) itself would.
    """
    y = 1.0 - 6.0 / (x + 3.0)
    # Multiplied by x + sqrt(2 / pi) the function is almost constant: few terms interpolate it.
    value = COEFFICIENTS[-1]
    for coefficient in COEFFICIENTS[-2::-1]:  # Horner
        value = value * y + coefficient
    return value / (x + SCALED_TAIL_AT_ZERO)


def tail(x):
    """Q(x), the probability that a standard normal exceeds float `x` >= 0, of any shape."""
    return ops.exp(-0.5 * x * x) * scaled_tail(x)
