import h5py
import keras
import numpy as np
import pytest
from keras import ops

from tests.fresh_process import call_in_fresh_process
from tests.gradients import gradients
from vqzoo.models import FAMILIES
from vqzoo.models.autoencoder import scale_pixels, unscale_pixels
from vqzoo.models.vqvae import VQVAE

ARGUMENTS = {
    "image_shape": [8, 12, 3],
    "num_embeddings": 16,
    "embedding_dim": 4,
    "filters": 8,
    "residual_filters": 4,
    "num_residual_blocks": 1,
    "commitment_cost": 0.7,
    "seed": 3,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 12, 3), dtype="uint8")


def new_model(**changes):
    """A tiny model whose codes lie among its encoder's vectors, so that many are chosen."""
    keras.utils.set_random_seed(0)
    model = VQVAE(**{**ARGUMENTS, **changes})
    vectors = ops.convert_to_numpy(ops.cast(model.encoder(IMAGES), "float32"))
    model.quantizer.codebook.assign(vectors.reshape(-1, 4)[:16] * 0.9)
    return model


def numpy_losses(model, images):
    """Mean squared error and commitment of a batch, from the definitions, in float64."""
    vectors = np.asarray(model.encoder(images), "float64")
    codebook = np.asarray(model.quantizer.codebook, "float64")
    distances = np.square(vectors[..., None, :] - codebook).sum(axis=-1)
    codes = distances.argmin(axis=-1)
    commitment = np.square(vectors - codebook[codes]).mean()
    output = np.asarray(model.decoder(codebook[codes].astype("float32")), "float64")
    return np.square(output - (images / 127.5 - 1)).mean(), commitment, codes


def test_logged_loss_is_the_mean_squared_error_and_the_commitment():
    model = new_model()
    model.compile("adam")
    mse, commitment, codes = numpy_losses(model, IMAGES)
    assert len(np.unique(codes)) > 8 and commitment > 1e-4, "a term of the loss is not seen"
    for step in (model.test_on_batch, model.train_on_batch):  # the second changes the weights
        logs = step(IMAGES, return_dict=True)
        np.testing.assert_allclose(logs["mse"], mse, rtol=1e-5)
        np.testing.assert_allclose(logs["commitment"], commitment, rtol=1e-5)
        np.testing.assert_allclose(logs["loss"], mse + 0.7 * commitment, rtol=1e-5)
        share = np.bincount(codes.ravel()) / codes.size
        used = share[share > 0]
        np.testing.assert_allclose(logs["usage"], len(used) / 16)
        perplexity = np.exp(-(used * np.log(used)).sum())
        np.testing.assert_allclose(logs["perplexity"], perplexity, rtol=1e-5)
        model.reset_metrics()


def test_code_metrics_of_fit_are_those_of_all_batches_and_of_the_validation_apart():
    model = new_model()
    model.compile(keras.optimizers.SGD(0.0))
    model.quantizer.trainable = False  # so that training codes are those of before
    images = {"": IMAGES, "val_": IMAGES[:3, ::-1]}
    logs = model.fit(IMAGES, validation_data=(images["val_"],), batch_size=5, verbose=0).history
    model.encode(IMAGES[:1])  # looking at codes counts nothing
    for prefix, of in images.items():
        codes = numpy_losses(model, of)[2]
        assert logs[prefix + "usage"] == [len(np.unique(codes)) / 16]
        share = np.bincount(codes.ravel(), minlength=16) / codes.size
        perplexity = np.exp(-(share * np.log(share + 1e-10)).sum())
        np.testing.assert_allclose(logs[prefix + "perplexity"], [perplexity], rtol=1e-5)
    assert logs["usage"] > logs["val_usage"]


def test_encode_gives_the_nearest_codes():
    model = new_model()
    (codes,) = model.encode(IMAGES)
    assert codes.shape == (10, 2, 3) and codes.dtype == "int32"
    np.testing.assert_array_equal(codes, numpy_losses(model, IMAGES)[2])


def test_gradients_pass_the_quantizer_as_if_it_were_not_there():
    model = new_model()
    vectors = np.asarray(model.encoder(IMAGES))
    quantized = np.asarray(model.quantizer(vectors)["vectors"])

    def loss(vectors):
        return ops.mean(ops.square(model.decoder(vectors) - scale_pixels(IMAGES)))

    assert np.abs(quantized - vectors).max() > 1e-3
    (at_codes,) = gradients(loss, quantized)
    (at_vectors,) = gradients(lambda vectors: loss(model.quantizer(vectors)["vectors"]), vectors)
    assert np.abs(at_codes).max() > 0
    np.testing.assert_array_equal(at_vectors, at_codes)


def test_labels_in_the_data_change_nothing():
    tf = pytest.importorskip("tensorflow")
    models = new_model(), new_model()
    for model in models:
        model.compile("adam")
    images = tf.data.Dataset.from_tensor_slices(IMAGES).batch(5)
    labels = tf.data.Dataset.range(10).batch(5)
    models[0].fit(images, verbose=0)
    models[1].fit(tf.data.Dataset.zip(images, labels), verbose=0)
    for first, second in zip(models[0].weights, models[1].weights):
        np.testing.assert_array_equal(first, second, first.path)


def test_plain_compile_and_fit_learn():
    colours = IMAGES[:, :1, :1]
    images = np.tile(colours, (20, 8, 12, 1))
    model = new_model()
    model.compile("adam")
    history = model.fit(images, epochs=30, batch_size=10, verbose=0).history
    assert {"loss", "mse", "perplexity", "usage"} <= set(history)
    blank = np.var(scale_pixels(colours))  # the best that a constant can do
    assert history["mse"][-1] < blank / 2


def test_evaluation_leaves_every_weight_as_it_is():
    model = new_model(restart_threshold=0.5)
    model.compile("adam")
    before = model.get_weights()
    model.evaluate(IMAGES, verbose=0)
    model.predict(IMAGES, verbose=0)
    model.encode(IMAGES)
    for first, second in zip(before, model.get_weights()):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"], indirect=True)
def test_decoded_codes_are_the_images_of_a_call(policy):
    model = new_model()
    output = model(IMAGES)
    assert output.dtype == "float32"
    (codes,) = model.encode(IMAGES)
    assert codes.dtype == "int32" and len(np.unique(codes)) > 8
    np.testing.assert_array_equal(model.decoder_output([codes]), output)
    np.testing.assert_array_equal(model.decode([codes]), unscale_pixels(output))
    assert model.decode([codes]).dtype == "uint8"


def test_other_sizes_go_through_the_same_network():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 4, 3), dtype="uint8")
    model = new_model()
    (codes,) = model.encode(images)
    assert codes.shape == (2, 5, 1) and model.decode([codes]).shape == images.shape
    assert model(images).shape == images.shape


def stored_weights(model, folder):
    """Paths of all arrays in a file of the model's weights."""
    model.save_weights(folder / "model.weights.h5")
    with h5py.File(folder / "model.weights.h5") as file:
        paths = []
        file.visititems(lambda path, item: paths.append(path) if hasattr(item, "shape") else None)
    return paths


def test_encoder_and_decoder_models_share_the_weights_and_save_them_once(tmp_path):
    model = new_model()
    before = stored_weights(model, tmp_path)
    (codes,) = model.encode(IMAGES)
    encoded = keras.tree.flatten(model.encoder_model.predict_on_batch(IMAGES))[0]
    np.testing.assert_array_equal(encoded, codes)
    output = model.decoder_model.predict_on_batch([encoded])
    np.testing.assert_allclose(output, model(IMAGES), rtol=1e-5, atol=1e-6)
    assert stored_weights(model, tmp_path) == before and len(before) >= len(model.weights)
    model.decoder.get_layer("full").bias.assign_add([1.0, 1.0, 1.0])
    moved = model.decoder_model.predict_on_batch([encoded])
    np.testing.assert_allclose(moved, output + 1, rtol=1e-5, atol=1e-5)


def test_log_likelihood_is_the_sum_over_values_under_the_fitted_scale():
    model = new_model()
    model.likelihood_scale.assign(20.0)
    output = ops.convert_to_numpy(model(IMAGES))
    nats = model.log_likelihood(IMAGES, output)
    means = (output + 1) * 127.5
    each = np.asarray(model.likelihood.log_prob(IMAGES, means, np.float32(20.0)))
    assert nats.shape == (10,) and nats.dtype == "float32"
    np.testing.assert_allclose(nats, each.reshape(10, -1).sum(axis=1), rtol=1e-5)
    # Between the edges a bin's mass is nearly the density at its middle.
    inside = (IMAGES > 0) & (IMAGES < 255)
    density = -np.square((IMAGES - means) / 20) / 2 - np.log(20 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(each[inside], density[inside], atol=0.01)


def test_tokenizer_hash_knows_what_decides_the_codes():
    model = new_model()
    start = model.tokenizer_hash()
    assert new_model().tokenizer_hash() == start and len(start) == 64
    model.decoder.get_layer("full").bias.assign_add([1.0, 0.0, 0.0])
    model.likelihood_scale.assign(9.0)
    assert model.tokenizer_hash() == start
    for weight in (model.encoder.get_layer("project").bias, model.quantizer.codebook):
        old = ops.convert_to_numpy(weight)
        changed = old.copy()
        changed.flat[-1] += 1e-3
        weight.assign(changed)
        assert model.tokenizer_hash() != start
        weight.assign(old)
    assert model.tokenizer_hash() == start
    assert new_model(commitment_cost=0.5).tokenizer_hash() != start


@pytest.mark.parametrize("codebook, losses, moves", [("loss", 2, True), ("frozen", 1, False)])
def test_a_codebook_of_gradients_or_of_none(codebook, losses, moves):
    model = new_model(codebook=codebook)
    mse, distance, _ = numpy_losses(model, IMAGES)
    model.compile("adam")
    before = ops.convert_to_numpy(model.quantizer.codebook)
    logs = model.train_on_batch(IMAGES, return_dict=True)
    weight = 0.7 + (losses - 1)  # the commitment's, and 1 for the codebook's own loss
    np.testing.assert_allclose(logs["loss"], mse + weight * distance, rtol=1e-5)
    assert np.array_equal(before, model.quantizer.codebook) != moves
    assert any("quantizer" in w.path for w in model.trainable_variables) == moves


def test_codebooks_that_do_not_move_by_averages_start_from_the_seed():
    keras.utils.set_random_seed(0)
    books = [VQVAE(**{**ARGUMENTS, "codebook": "frozen", "seed": s}).quantizer for s in (3, 3, 4)]
    books = [ops.convert_to_numpy(book.codebook) for book in books]
    np.testing.assert_array_equal(books[0], books[1])
    assert np.abs(books[0]).max() <= 1 / 16 and not np.array_equal(books[0], books[2])


def test_options_without_meaning_are_refused():
    for name, value in (("decay", 0.9), ("codebook_init", "kmeans"), ("restart_threshold", 1.0)):
        with pytest.raises(ValueError, match=f"`{name}` must be left at .* Received: {value!r}"):
            VQVAE(**ARGUMENTS, codebook="loss", **{name: value})
    with pytest.raises(ValueError, match="`codebook` must be .* Received: 'gradient'"):
        VQVAE(**ARGUMENTS, codebook="gradient")


def test_the_hash_covers_arguments_as_before_there_were_codebook_and_batch_norm():
    given = {**ARGUMENTS, "decay": 0.99, "codebook_init": "uniform", "restart_threshold": None}
    assert new_model().get_config() == {**given, "name": "vqvae"}
    assert new_model(batch_norm=True).get_config()["batch_norm"] is True
    frozen, trained = new_model(codebook="frozen"), new_model(codebook="loss")
    trained.set_weights(new_model(codebook="loss").get_weights())
    assert frozen.tokenizer_hash() != trained.tokenizer_hash() != new_model().tokenizer_hash()


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"codebook": "loss", "batch_norm": True}, {"codebook": "frozen"}])
def test_other_codebooks_are_the_same_in_a_fresh_process(changes, tmp_path):
    model = new_model(**changes)
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    model.fit(IMAGES, verbose=0)
    loaded = call_in_fresh_process(model, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(loaded, model(IMAGES), rtol=1e-5, atol=1e-6)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.tokenizer_hash() == model.tokenizer_hash()


def test_config_gives_the_same_model():
    model = new_model()
    again = VQVAE.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert model.get_config().items() >= ARGUMENTS.items()
    shapes = [[(w.path.split("/", 1)[1], w.shape) for w in m.weights[:-1]] for m in (model, again)]
    assert shapes[0] == shapes[1]
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(IMAGES), model(IMAGES))


def test_a_trained_model_is_the_same_in_a_fresh_process(tmp_path):
    model = new_model()
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    loaded = call_in_fresh_process(model, IMAGES, "vqzoo.models", tmp_path)
    np.testing.assert_allclose(loaded, model(IMAGES), rtol=1e-5, atol=1e-6)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.tokenizer_hash() == model.tokenizer_hash()
    for each in (model, again):  # also the optimiser's state is loaded
        each.fit(IMAGES, verbose=0)
    np.testing.assert_allclose(again(IMAGES), model(IMAGES), rtol=1e-4, atol=1e-5)


def test_what_others_ask_of_a_family():
    model = new_model()
    assert FAMILIES["VQVAE"] is VQVAE
    assert model.image_shape == (8, 12, 3) and model.stride == 4
    assert model.latent_shapes == [(2, 3)] and model.codebook_sizes == [16]
    assert model.exact_weights == [*model.quantizer.variables, model.likelihood_scale]
    assert model.fits_scale


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 30, 1), (28, 28), (0, 28, 1), (28, 28, 1, 1)])
def test_an_image_shape_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match=r"`image_shape` must be .*\(28, 28, 1\)\. Received"):
        VQVAE(image_shape=shape)


def test_every_grey_level_survives_scaling():
    levels = np.arange(256, dtype="uint8")
    scaled = scale_pixels(levels)
    assert (scaled[0], scaled[-1]) == (-1, 1)
    back = unscale_pixels(scaled)
    assert back.dtype == "uint8"
    np.testing.assert_array_equal(back, levels)


def test_means_beyond_the_ends_are_clipped():
    output = np.array([-7, -1.001, 1.001, 300], "float32")
    np.testing.assert_array_equal(unscale_pixels(output), [0, 0, 255, 255])
