"""The prior of a model without latents."""

import keras
import numpy as np

from vqzoo.latents import checked_latents
from vqzoo.priors.checks import checked_labels


@keras.saving.register_keras_serializable(package="vqzoo")
class NoPrior(keras.Model):
    """Stands where there are no latents, as beside a `PixelModel`, whose p(x) needs no p(z).

    It has no weights, nothing to fit and no classes.

    Args:
        name: str.
    """

    trainable_stage, conditional = False, False
    num_classes = None

    def __init__(self, name="no_prior", **kwargs):
        super().__init__(name=name, **kwargs)
        self.built = True

    @classmethod
    def for_latents(cls, latent_shapes, codebook_sizes, num_classes):
        """The prior of no latents at all.

        Raises:
            ValueError: if there are latents or classes.
        """
        if latent_shapes or num_classes is not None:
            raise ValueError(
                f"`latent_shapes` must be empty and `num_classes` None for a {cls.__name__}. "
                f"Received: {latent_shapes=}, {num_classes=}"
            )
        return cls()

    def log_prob(self, latents, labels=None):
        """Log-probability of nothing, which is certain: a float32 scalar 0.

        Raises:
            ValueError: if there are latents or labels.
        """
        checked_latents(latents, [], [])
        checked_labels(labels, 0, self.num_classes)
        return np.float32(0)
