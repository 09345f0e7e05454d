"""Bits per dimension that follow from the squared error alone, for comparison with the paper."""

import math

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
LOG_GREY_LEVEL = math.log(2 / 255)  # width of a grey level where pixels run over -1..1


def uniform_prior_scores(mse, num_values, codebook_sizes, latent_shapes):
    """As `normal_density_scores`, with codes that cost log2 K bits each.

    Args:
        mse: float, mean squared error with pixels on -1..1.
        num_values: int, pixel values of an image, height x width x channels.
        codebook_sizes: list of int, one for each level.
        latent_shapes: list of (height, width), one for each level.
    """
    levels = zip(codebook_sizes, latent_shapes, strict=True)
    nats = sum(math.prod(shape) * math.log(size) for size, shape in levels)
    return normal_density_scores(mse, nats / num_values)


def normal_density_scores(mse, latent_nats):
    """Bits per dimension under a normal density on pixels in -1..1, for comparison with the paper.

    A density times the width of a grey level stands for a probability: these are approximations,
    neither exact nor bounds. The paper is Kumar, Deleu and Racah, Reproducing Neural Discrete
    Representation Learning (2019).

    Args:
        mse: float, mean squared error with pixels on -1..1.
        latent_nats: float, what an image's latents cost, in nats for each pixel value: their
            divergence from the prior.

    Returns:
        dict: `s3_eq7_bits`, the paper's Equation 7 as it is printed, with the sign of the
        log-likelihood reversed and ln 128 as the width of a grey level, in bits: what its Table 1
        lists, which rises when reconstructions improve; `bpd_unit`, the bits of a normal of
        variance 1; `bpd_opt`, of variance `mse`, the best single one for these images.
    """
    printed = -HALF_LOG_TWO_PI - mse / 2 + latent_nats + math.log(128)
    unit = HALF_LOG_TWO_PI + mse / 2 + latent_nats - LOG_GREY_LEVEL
    # Of all variances `mse` is the likeliest, and makes the quadratic term exactly 1/2.
    log_mse = math.log(mse) if mse else -math.inf
    best = HALF_LOG_TWO_PI + (log_mse + 1) / 2 + latent_nats - LOG_GREY_LEVEL
    nats = {"s3_eq7_bits": printed, "bpd_unit": unit, "bpd_opt": best}
    return {name: value / math.log(2) for name, value in nats.items()}
