import json

import numpy as np
import pytest

from vqzoo.config import folder_of, load_config
from vqzoo.data import ArraySource, eval_batches
from vqzoo.evaluation import train_classifier
from vqzoo.classifier import Classifier, classifier_name, create, find_classifier, load_classifier
from vqzoo.evaluation.fit_classifier import fit_classifier, measure

NAMES = ["dark", "bright"]


def two_classes(num_images, seed):
    """Noisy images that differ in brightness."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, num_images)
    noise = generator.integers(0, 100, (num_images, 8, 8, 1))
    return ArraySource((noise + 150 * labels[:, None, None, None]).astype("uint8"), labels, NAMES)


def test_training_learns_and_the_folder_gives_the_same_answers(tmp_path):
    train, test = two_classes(256, 0), two_classes(64, 1)
    classifier = fit_classifier(train, "toy", epochs=12)
    scores = measure(classifier, eval_batches(test, 50))
    assert scores["test_accuracy"] > 0.95  # brightness alone decides
    predicted = classifier.predict(test.images)
    assert scores["test_accuracy"] == np.mean(predicted == test.labels)
    for i, name in enumerate(NAMES):
        own = test.labels == i
        assert scores["test_accuracy_by_class"][name] == np.mean(predicted[own] == i)
    classifier.save(tmp_path / "saved")
    loaded = load_classifier(tmp_path / "saved")
    assert loaded.class_names == NAMES and loaded.data_name == "toy" and loaded.training is None
    assert classifier.training == {
        "epochs": 12, "seed": 0, "mirror": False, "width": 32, "learning_rate": 2e-3,
    }  # fmt: skip
    expected = classifier.network.predict(test.images, verbose=0)
    np.testing.assert_array_equal(loaded.network.predict(test.images, verbose=0), expected)


def test_command_writes_weights_and_scores(tmp_path, monkeypatch, capsys):
    sources = {"train": two_classes(64, 0), "test": two_classes(32, 1)}
    monkeypatch.setattr(
        train_classifier.datasets, "open_source", lambda data, split, folder: sources[split]
    )
    output = tmp_path / "out"
    train_classifier.main(["vqvae_fashion_mnist", "--output", str(output), "--epochs", "1"])
    results = json.loads((output / "results.json").read_text())
    again = measure(load_classifier(output), eval_batches(sources["test"], 32))
    assert results["scores"] == again and results["num_train_images"] == 64
    known = {"seed": 0, "mirror": False, "width": 32, "learning_rate": 2e-3}
    assert load_classifier(output).training == {"epochs": 1, **known}
    capsys.readouterr()
    train_classifier.main(["vqvae_fashion_mnist", "--measure", str(output)])
    assert json.loads(capsys.readouterr().out) == again


def test_damaged_and_missing_folders_are_errors(tmp_path):
    Classifier(create((8, 8, 1), 2), NAMES, "toy").save(tmp_path / "saved")
    with open(tmp_path / "saved" / "config.json", "a") as file:
        file.write(" ")
    with pytest.raises(ValueError, match="config.json"):
        load_classifier(tmp_path / "saved")
    with pytest.raises(FileNotFoundError, match="`name_or_folder`"):
        load_classifier("classifier_of_nothing")


@pytest.mark.parametrize("shape", [(28, 28, 1), (96, 80, 3)])
def test_an_image_is_judged_by_itself(shape):
    """No batch normalisation; and the shifts of photographs are for training alone."""
    network = create(shape, 10, width=8)
    images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype("uint8")
    alone = [network.predict(image[None], verbose=0)[0] for image in images]
    np.testing.assert_allclose(network.predict(images, verbose=0), alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("side", "seen"), [(64, 64), (127, 127), (128, 64), (256, 64)])
def test_photographs_are_shrunk_by_a_whole_factor(side, seen):
    network = create((side, side, 3), 4)
    layers = {layer.name.rstrip("_0123456789"): layer for layer in network.layers}
    assert layers["average_pooling2d"].output.shape[1:3] == (seen, seen)
    assert "random_translation" in layers


def test_width_is_read_back(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("uint8")
    classifier = Classifier(create((64, 64, 3), 2, width=8), NAMES, "toy")
    classifier.save(tmp_path)
    loaded = load_classifier(tmp_path)
    expected = classifier.network.predict(images, verbose=0)
    assert loaded.network.count_params() == classifier.network.count_params()
    found = loaded.network.predict(images, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02)  # float16 in the file


def test_published_classifier_has_its_weights_and_scores():
    """Logits of two made-up images, as the published weights gave them on a CPU."""
    data = load_config("vqvae_fashion_mnist")["data"]
    classifier = find_classifier(data)
    ramp = np.add.outer(np.arange(28) * 4, np.arange(28) * 5).astype("uint8")
    stripe = np.zeros((28, 28), "uint8")
    stripe[:, 9:20] = 200
    logits = classifier.network.predict(np.stack([ramp, stripe])[..., None], verbose=0)
    golden = [
        [0.56, -0.68, -1.37, -3.45, -4.94, 0.30, -0.58, -1.87, 2.82, -0.58],
        [5.67, -2.37, 1.28, 4.97, -3.04, -10.03, 1.36, -10.42, -2.88, -9.35],
    ]
    np.testing.assert_allclose(logits, golden, atol=0.02)  # printed with two digits
    folder = folder_of("pretrained") / "classifier_fashion_mnist"
    results = json.loads((folder / "results.json").read_text())
    assert results["scores"]["test_accuracy"] >= 0.91
    assert results["parameters"] == classifier.network.count_params()
    card = (folder / "README.md").read_text()
    assert f"{results['scores']['test_accuracy']:.2%}" in card
    assert find_classifier({**data, "class_names": NAMES}) is None  # other classes
    assert find_classifier({**data, "image_shape": [56, 56, 1]}) is None  # other images


def test_all_sizes_of_a_data_set_share_their_classifier():
    assert classifier_name("mnist") == "classifier_mnist"
    assert classifier_name("imagenette/160px-v2") == classifier_name("imagenette/full-size")
    assert classifier_name("imagenette/160px-v2") == "classifier_imagenette"


def test_unknown_data_have_no_classifier():
    assert find_classifier({"name": "of_nothing", "class_names": NAMES}) is None
