import types

import numpy as np
import pytest

from vqzoo import priors


def autoencoder(latent_shapes, codebook_sizes):
    return types.SimpleNamespace(latent_shapes=latent_shapes, codebook_sizes=codebook_sizes)


def test_nothing_is_certain():
    prior = priors.create({"family": "NoPrior"}, autoencoder([], []))
    assert not prior.trainable_stage and not prior.weights and prior.num_classes is None
    found = prior.log_prob([])
    assert found == 0 and found.dtype == np.float32
    assert priors.NoPrior.from_config(prior.get_config()).name == prior.name


def test_latents_classes_and_labels_are_refused():
    with pytest.raises(ValueError, match="`latent_shapes` must be empty"):
        priors.create({"family": "NoPrior"}, autoencoder([(2, 3)], [4]))
    with pytest.raises(ValueError, match="`num_classes` None"):
        priors.create({"family": "NoPrior"}, autoencoder([], []), num_classes=3)
    prior = priors.NoPrior()
    with pytest.raises(ValueError, match="`latents` must be a list of 0 levels"):
        prior.log_prob([np.zeros((1, 2))])
    with pytest.raises(ValueError, match="`labels` must be None"):
        prior.log_prob([], labels=1)


@pytest.mark.parametrize("family", ["UniformPrior", "AutoregressivePrior", "HierarchicalPrior"])
def test_priors_of_codes_refuse_a_model_without_latents(family):
    arguments = {"UniformPrior": {}, "HierarchicalPrior": {"levels": []}}
    arguments = arguments.get(family, {"network": {"family": "GatedPixelCNN"}})
    with pytest.raises(ValueError, match="`codebook_sizes` must|`levels` must"):
        priors.create({"family": family, **arguments}, autoencoder([], []))
