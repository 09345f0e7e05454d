import numpy as np
import pytest

from vqzoo.config import load_config
from vqzoo.data import ArraySource, eval_batches
from vqzoo.evaluation.classification_accuracy import _usual_training, cas_scores
from vqzoo.evaluation.fit_classifier import fit_classifier, measure

NAMES = ["dark", "bright"]


def two_classes(num_images, seed):
    """Noisy images that differ in brightness, three dark ones for each bright one."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(num_images) % 4 == 3).astype("int32")
    noise = generator.integers(0, 100, (num_images, 8, 8, 1))
    return ArraySource((noise + 150 * labels[:, None, None, None]).astype("uint8"), labels, NAMES)


class Copier:
    """Its samples are given images whatever the seed; reconstructions are negatives."""

    def __init__(self, images, num_classes=2):
        self.images, self.prior, self.asked = images, self, None
        self.config = {"data": {"name": "toy", "flip": True}}
        self.num_classes = num_classes

    def sample(self, num_images, labels, seed, batch_size):
        self.asked = labels
        return self.images[:num_images]

    def reconstruct(self, images):
        return 255 - images


@pytest.fixture(scope="module")
def train():
    return two_classes(256, 0)


@pytest.fixture(scope="module")
def test():
    return two_classes(64, 1)


def test_samples_that_are_the_real_images_score_as_the_real_classifier(train, test):
    model = Copier(train.images)
    scores = cas_scores(model, train, test, 4, {"epochs": 3, "mirror": True})
    assert model.asked == train.labels.tolist()  # the real class counts
    real = fit_classifier(train, "toy", epochs=3, seed=4, mirror=True)
    expected = measure(real, eval_batches(test, 64))["test_accuracy"]
    negatives = ArraySource(255 - test.images, test.labels, NAMES)
    on_negatives = measure(real, eval_batches(negatives, 64))["test_accuracy"]
    assert expected > 0.9 > 0.5 > on_negatives  # else any answer would do
    assert scores == {
        "train_images": 256,
        "accuracy": expected,
        "accuracy_of_real": expected,
        "accuracy_on_reconstructions": on_negatives,
        "accuracy_of_real_on_reconstructions": on_negatives,
        "share_of_real": 1.0,
    }


def test_samples_of_the_wrong_class_teach_the_wrong_class(train, test):
    scores = cas_scores(Copier(255 - train.images), train, test)
    assert scores["accuracy"] < 0.2 and scores["accuracy_of_real"] > 0.9
    assert scores["accuracy_on_reconstructions"] > 0.8  # which look as its samples did
    assert scores["share_of_real"] == scores["accuracy"] / scores["accuracy_of_real"]


def test_trains_as_the_package_trained_its_own_classifier():
    data = load_config("vqvae_fashion_mnist")["data"]
    assert _usual_training(data) == {"epochs": 8, "mirror": True}
    assert _usual_training({**data, "class_names": NAMES}) == {"epochs": 8, "mirror": False}


def test_without_classes_or_labels_there_is_no_score(train, test):
    with pytest.raises(ValueError, match="`model` must have a prior with classes"):
        cas_scores(Copier(train.images, num_classes=None), train, test)
    with pytest.raises(ValueError, match="`test` must have labels"):
        cas_scores(Copier(train.images), train, ArraySource(test.images))
