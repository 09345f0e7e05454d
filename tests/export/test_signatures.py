"""Which signatures a model has; `test_saved_model.py` compares the numbers of stored ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.export.tiny_zoo import UNIFORM, random_images, tiny_model
from vqzoo.export.signatures import signatures_of
from vqzoo.priors.uniform_prior import UniformPrior
from vqzoo.zoo_model import ZooModel


def test_an_unconditional_prior_takes_no_labels():
    model = tiny_model(class_names=None)
    sample = signatures_of(model)["sample"]
    specs = tf.nest.flatten(sample.structured_input_signature)
    assert [spec.name for spec in specs if spec is not None] == ["seed", "temperature"]
    images = sample(seed=tf.constant([4, 5], tf.int64), temperature=tf.constant([1.0, 1.0]))
    expected = [model.sample(1, seed=seed)[0] for seed in (4, 5)]
    np.testing.assert_array_equal(images["images"], expected)


def test_a_model_loaded_without_its_prior_does_not_sample():
    whole = tiny_model(prior=UNIFORM)
    model = ZooModel(whole.config, whole.autoencoder, whole.prior, has_prior=False)
    assert sorted(signatures_of(model)) == ["decode", "encode", "reconstruct"]


class TwoLevels(keras.Model):
    """Two maps of codes of different sizes, whose values tell one level from the other."""

    image_shape, latent_shapes, codebook_sizes = (4, 8, 1), [(1, 2), (2, 4)], [5, 9]
    stride = 4

    def encode(self, images):
        levels = zip((4, 2), self.codebook_sizes)
        return [ops.cast(images[:, ::step, ::step, 0], "int32") % size for step, size in levels]

    def decode(self, codes):
        coarse, fine = (ops.cast(level[..., None], "uint8") for level in codes)
        fine = ops.repeat(ops.repeat(fine, 2, axis=1), 2, axis=2)
        return ops.repeat(ops.repeat(coarse, 4, axis=1), 4, axis=2) * np.uint8(10) + fine

    def tokenizer_hash(self):
        return ""


def test_levels_are_named_from_coarse_to_fine():
    autoencoder = TwoLevels()
    shapes, sizes = autoencoder.latent_shapes, autoencoder.codebook_sizes
    model = ZooModel({"data": {}}, autoencoder, UniformPrior(shapes, sizes))
    signatures = signatures_of(model)
    images = random_images(3, autoencoder.image_shape)
    codes = signatures["encode"](images=tf.constant(images))
    for name, expected in zip(("codes_0", "codes_1"), autoencoder.encode(images)):
        np.testing.assert_array_equal(codes[name], expected)
    decoded, expected = signatures["decode"](**codes), autoencoder.decode(list(codes.values()))
    np.testing.assert_array_equal(decoded["images"], expected)
    seeds, temperatures = tf.constant([3, 2**32 - 1], tf.int64), tf.constant([1.0, 0.5])
    sampled = signatures["sample"](seed=seeds, temperature=temperatures)["images"]
    each = [model.prior.sample(1, seed=int(seed)) for seed in seeds]  # one size for all: no logits
    expected = [autoencoder.decode(codes)[0] for codes in each]
    np.testing.assert_array_equal(sampled, expected)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_reduced_precision_gives_the_codes_and_images_of_python(policy):
    model = tiny_model(prior=UNIFORM)
    signatures = signatures_of(model)
    images = random_images(5)
    codes = signatures["encode"](images=tf.constant(images))["codes_0"]
    np.testing.assert_array_equal(codes, model.encode(images)[0])
    again = signatures["reconstruct"](images=tf.constant(images))["images"]
    np.testing.assert_array_equal(again, model.reconstruct(images))
    assert len(np.unique(codes)) > 5
