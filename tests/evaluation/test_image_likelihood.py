import numpy as np
import pytest

from tests.evaluation.fakes import BlockMeans
from tests.likelihoods.normal_reference import slow_log_mass
from vqzoo.data import ArraySource
from vqzoo.evaluation import fit_scale


def noisy_source(scale, num_images=300):
    """Images whose blocks are drawn from the fake's own discretised normal."""
    generator = np.random.default_rng(0)
    levels = generator.integers(4, 12, (num_images, 2, 3)) * 16 + 8.0
    images = np.repeat(np.repeat(levels, 2, axis=1), 2, axis=2)
    noise = generator.normal(scale=scale, size=images.shape)
    noise[:, ::2, ::2] = 0  # the pixel that decides the code
    return ArraySource(np.round(images + noise).astype("uint8")[..., None])


@pytest.mark.parametrize("scale", [1.5, 9.0])
def test_fitted_scale_has_the_highest_likelihood(scale):
    source, autoencoder = noisy_source(scale), BlockMeans()
    fitted = fit_scale(autoencoder, source)
    output = autoencoder.decoder_output(autoencoder.encode(source.images))
    residuals, counts = np.unique(source.images - (output + 1) * 127.5, return_counts=True)
    # far from both ends the bins of 100 + residual are those of the pixels themselves
    likelihoods = {
        factor: sum(
            count * slow_log_mass(100, 100 - residual, factor * fitted)
            for residual, count in zip(residuals.round(3), counts, strict=True)
        )
        for factor in (0.99, 1.0, 1.01)
    }
    assert max(likelihoods, key=likelihoods.get) == 1.0
    # three of four pixels carry the noise
    assert fitted == pytest.approx(np.sqrt(0.75) * scale, rel=0.05)
