"""What a model would gain by a likelihood with the scale of its own errors, not a common one."""

import math


def gain(decoder_bits, scale):
    """Bits per dimension that a normal likelihood would need less, float, without training anew.

    With r the mean squared error by the square of the scale, the decoder has
    (ln(2 π scale²) + r) / (2 ln 2) bits, which is least where r = 1.

    Args:
        decoder_bits: float, bits per dimension of integer pixels under the normal.
        scale: float, its standard deviation in grey levels.
    """
    ratio = 2 * math.log(2) * decoder_bits - math.log(2 * math.pi * scale**2)
    return (ratio - 1 - math.log(ratio)) / (2 * math.log(2))


def gains(variants):
    """One sentence on all variants of a grid, each with the mean of its seeds."""
    means = {}
    for name, variant in variants.items():
        scores = [result["scores"] for result in variant["seeds"].values()]
        found = [gain(each["decoder_bits_per_dim"], each["scale"]) for each in scores]
        means[name] = sum(found) / len(found)
    listed = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
    return f"With the scale of its own errors each decoder would need fewer bits by: {listed}."
