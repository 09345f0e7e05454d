import math

import keras
import numpy as np
import pytest
from keras import ops

from tests.fresh_process import call_in_fresh_process
from vqzoo.models import FAMILIES
from vqzoo.models.autoencoder import unscale_pixels
from vqzoo.models.vqvae2 import VQVAE2

ARGUMENTS = {
    "image_shape": [16, 24, 3],
    "num_levels": 2,
    "bottom_stride": 4,
    "num_embeddings": 12,
    "embedding_dim": 4,
    "filters": 8,
    "residual_filters": 4,
    "num_residual_blocks": 1,
    "commitment_cost": 0.7,
    "seed": 3,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 24, 3), dtype="uint8")


def new_model(**changes):
    """A tiny model whose codes lie where its vectors do, so that many are chosen."""
    keras.utils.set_random_seed(0)
    model = VQVAE2(**{**ARGUMENTS, "codebook_init": "sample", **changes})
    model.compile(keras.optimizers.SGD(0.0))  # one step, for the codebooks' start alone
    shape = (6, *model.image_shape)
    model.train_on_batch(np.random.default_rng(1).integers(0, 256, shape, dtype="uint8"))
    model.reset_metrics()
    return model


def nearest(vectors, codebook):
    """Codes and their vectors, by the definition, in float64."""
    vectors, codebook = np.asarray(vectors, "float64"), np.asarray(codebook, "float64")
    codes = np.square(vectors[..., None, :] - codebook).sum(axis=-1).argmin(axis=-1)
    return codes, codebook[codes].astype("float32")


def by_hand(model, images):
    """Levels of codes, commitments and means of a three-level model, part by part as in the paper.

    The joined levels are `[up(e_0), e_1]` and `[up(up(e_0), e_1), e_2]`.
    """

    def concatenate(*maps):
        return np.concatenate([np.asarray(each) for each in maps], axis=-1)

    parts = model.parts
    books = [quantizer.codebook for quantizer in model.quantizers]
    fine = parts["encoders"][2](images / np.float32(127.5) - 1)
    middle = parts["encoders"][1](fine)
    top = parts["encoders"][0](middle)
    vectors_0 = parts["projections"][0](top)
    codes_0, e_0 = nearest(vectors_0, books[0])
    vectors_1 = parts["projections"][1](concatenate(parts["inner_decoders"][0](e_0), middle))
    codes_1, e_1 = nearest(vectors_1, books[1])
    joined = concatenate(parts["ups"][0](e_0), e_1)
    vectors_2 = parts["projections"][2](concatenate(parts["inner_decoders"][1](joined), fine))
    codes_2, e_2 = nearest(vectors_2, books[2])
    means = parts["decoder"](concatenate(parts["ups"][1](joined), e_2))
    pairs = ((vectors_0, e_0), (vectors_1, e_1), (vectors_2, e_2))
    commitments = [np.square(np.asarray(vectors) - e).mean() for vectors, e in pairs]
    return [codes_0, codes_1, codes_2], commitments, np.asarray(means)


def test_three_levels_are_the_papers_parts_in_the_papers_order():
    model = new_model(num_levels=3, bottom_stride=2)
    codes, commitments, means = by_hand(model, IMAGES)
    assert [level.shape[1:] for level in codes] == model.latent_shapes == [(2, 3), (4, 6), (8, 12)]
    for level, expected in zip(model.encode(IMAGES), codes, strict=True):
        assert level.dtype == "int32" and len(np.unique(expected)) > 3
        np.testing.assert_array_equal(level, expected)
    np.testing.assert_allclose(model(IMAGES), means, rtol=1e-4, atol=1e-5)
    logs = model.test_on_batch(IMAGES, return_dict=True)
    mse = np.square(means - (IMAGES / 127.5 - 1)).mean()
    np.testing.assert_allclose(logs["commitment"], sum(commitments), rtol=1e-4)
    np.testing.assert_allclose(logs["loss"], mse + 0.7 * sum(commitments), rtol=1e-4)
    for level, expected in enumerate(codes):
        np.testing.assert_allclose(logs[f"usage_{level}"], len(np.unique(expected)) / 12)


def test_one_level_below_another_sees_it():
    model = new_model()
    top, bottom = (np.asarray(level) for level in model.encode(IMAGES))
    known = model.parts["inner_decoders"][0]
    known.set_weights([10 * weight for weight in known.get_weights()])
    again = [np.asarray(level) for level in model.encode(IMAGES)]
    np.testing.assert_array_equal(again[0], top)
    assert (again[1] != bottom).mean() > 0.1


@pytest.mark.parametrize("levels, stride", [(1, 4), (2, 4), (2, 8), (3, 2)])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"], indirect=True)
def test_decoded_codes_are_the_images_of_a_call(policy, levels, stride):
    model = new_model(num_levels=levels, bottom_stride=stride, image_shape=[32, 16, 3])
    images = np.random.default_rng(2).integers(0, 256, (3, 32, 16, 3), dtype="uint8")
    output, codes = model(images), model.encode(images)
    assert output.dtype == "float32" and len(codes) == levels
    assert [tuple(level.shape[1:]) for level in codes] == model.latent_shapes
    np.testing.assert_array_equal(model.decoder_output(codes), output)
    np.testing.assert_array_equal(model.decode(codes), unscale_pixels(output))


def test_each_level_changes_the_image_and_every_weight_learns():
    model = new_model(num_levels=3, bottom_stride=2)
    codes = [np.asarray(level) for level in model.encode(IMAGES)]
    whole = np.asarray(model.decoder_output(codes))
    for level in range(3):
        others = [np.roll(each, 1, axis=0) if i == level else each for i, each in enumerate(codes)]
        assert np.abs(np.asarray(model.decoder_output(others)) - whole).max() > 1e-3
    before = [ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    model.compile(keras.optimizers.SGD(0.1))
    model.train_on_batch(IMAGES)
    still = [
        variable.path
        for old, variable in zip(before, model.trainable_variables)
        if np.array_equal(old, variable)
    ]
    assert not still


def test_plain_compile_and_fit_learn():
    colours = IMAGES[:, :1, :1]
    images = np.tile(colours, (20, 16, 24, 1))
    model = new_model(restart_threshold=0.1)
    model.compile(keras.optimizers.Adam(5e-3))
    history = model.fit(images, epochs=20, batch_size=10, verbose=0).history
    assert {"perplexity_0", "usage_0", "perplexity_1", "usage_1"} <= set(history)
    blank = np.var(colours / 127.5)  # the best that a constant can do
    assert history["mse"][-1] < 0.6 * blank


def test_other_sizes_go_through_the_same_network():
    model = new_model()
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 8, 3), dtype="uint8")
    codes = model.encode(images)
    assert [tuple(level.shape) for level in codes] == [(2, 5, 1), (2, 10, 2)]
    assert model.decode(codes).shape == images.shape


def test_encoder_and_decoder_models_give_the_same():
    model = new_model()
    codes = model.encode(IMAGES)
    encoded = keras.tree.flatten(model.encoder_model.predict_on_batch(IMAGES))
    for level, expected in zip(encoded, codes, strict=True):
        np.testing.assert_array_equal(level, expected)
    output = model.decoder_model.predict_on_batch(encoded)
    np.testing.assert_allclose(output, model(IMAGES), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("levels, decides", [(2, False), (3, True)])
def test_tokenizer_hash_knows_what_decides_the_codes(levels, decides):
    model = new_model(num_levels=levels, bottom_stride=2)
    start = model.tokenizer_hash()
    assert len(start) == 64

    def changes(variable):
        old = ops.convert_to_numpy(variable)
        variable.assign(old + 1e-3)
        changed = model.tokenizer_hash() != start
        variable.assign(old)
        return changed

    parts = model.parts
    for name in ("encoders", "projections", "inner_decoders"):
        assert all(changes(part.weights[-1]) for part in parts[name])
    assert all(changes(quantizer.codebook) for quantizer in model.quantizers)
    assert not changes(parts["decoder"].weights[-1]) and not changes(model.likelihood_scale)
    # What joins the levels decides codes where a further level is quantized after it.
    assert changes(parts["ups"][0].weights[-1]) == decides


@pytest.mark.slow
def test_a_trained_model_is_the_same_in_a_fresh_process(tmp_path):
    model = new_model()
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    loaded = call_in_fresh_process(model, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(loaded, model(IMAGES), rtol=1e-5, atol=1e-6)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.tokenizer_hash() == model.tokenizer_hash()


def test_config_gives_the_same_model():
    model = new_model()
    again = VQVAE2.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert model.get_config().items() >= ARGUMENTS.items()
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(IMAGES), model(IMAGES))
    assert FAMILIES["VQVAE2"] is VQVAE2
    assert model.exact_weights[-1] is model.likelihood_scale and len(model.exact_weights) == 9


def test_codebooks_start_at_different_codes():
    books = [q.codebook for q in VQVAE2(**ARGUMENTS).quantizers]
    assert not np.array_equal(*books)


def test_number_of_weights_of_table_5():
    def conv(size, inputs, outputs):
        return size * size * inputs * outputs + outputs

    residuals = 2 * (conv(3, 128, 64) + conv(1, 64, 128))
    bottom = conv(4, 3, 64) + conv(4, 64, 128) + conv(3, 128, 128) + residuals
    top = conv(4, 128, 64) + conv(3, 64, 128) + residuals
    projections = conv(1, 128, 64) + conv(1, 128 + 64, 64)
    inner = conv(3, 64, 128) + residuals + conv(4, 128, 64)
    decoder = conv(3, 128, 128) + residuals + conv(4, 128, 64) + conv(4, 64, 3)
    model = VQVAE2((256, 256, 3))
    trained = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    assert trained == bottom + top + projections + inner + conv(4, 64, 64) + decoder


@pytest.mark.parametrize("shape", [(28, 32, 3), (32, 12, 3), (32, 32)])
def test_an_image_shape_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match=r"`image_shape` must be .* divisible by 8.*Received"):
        VQVAE2(image_shape=shape)


def test_a_stride_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="`bottom_stride` must be 2, 4 or 8. Received: 3"):
        VQVAE2((24, 24, 3), bottom_stride=3)
