"""How close reconstructions come to the images."""

import math


def reconstruction_scores(encoded, num_values):
    """Mean squared error and peak signal-to-noise ratio, in dB, over a data source.

    https://en.wikipedia.org/wiki/Peak_signal-to-noise_ratio, with the range of pixels in -1..1.

    Args:
        encoded: `EncodedSource` with `squared_errors`.
        num_values: int, pixel values of an image, height x width x channels.

    Returns:
        dict: `mse`, the mean over all values of all images with pixels on -1..1, of the decoder's
        float output; `psnr_db`, 10 log10(4 / mse), 4 being the squared range.
    """
    mse = float(encoded.squared_errors.sum() / (len(encoded) * num_values))
    return {"mse": mse, "psnr_db": 10 * math.log10(4 / mse) if mse else math.inf}
