import keras
import numpy as np
import pytest
from PIL import Image

from vqzoo.classifier import Classifier, create, load_classifier
from vqzoo.data import ArraySource
from vqzoo.evaluation.feature_networks import of_classifier
from vqzoo.evaluation.frechet import Moments, frechet_distance
from vqzoo.evaluation.keep_curve import KEEPS, keep_curve, save_curve

NAMES = ["dark", "bright"]


def classifier(seed, names=NAMES):
    keras.utils.set_random_seed(seed)
    return Classifier(create((8, 8, 1), len(names), width=8), names, "toy")


class Brightener:
    """The smaller the share that is kept, the brighter its samples."""

    class_names, num_classes, image_shape = NAMES, 2, (8, 8, 1)

    def __init__(self):
        self.prior, self.autoencoder, self.asked = self, self, []

    def sample(self, num_images, labels, seed, critic, keep):
        self.asked.append((labels, seed, critic, keep))
        noise = np.random.default_rng(seed).integers(0, 100, (num_images, 8, 8, 1))
        return (noise + int(100 * (1 - keep))).astype("uint8")


@pytest.fixture(scope="module")
def test():
    images = np.random.default_rng(1).integers(0, 100, (150, 8, 8, 1)).astype("uint8")
    return ArraySource(images, np.arange(150) % 2, NAMES)


def test_each_share_is_drawn_by_the_critic_and_scored_by_the_judge(test, tmp_path):
    model, critic, judge = Brightener(), classifier(0), classifier(1)
    points = keep_curve(model, test, critic, judge, num_samples=140, seed=5)
    labels = np.arange(140) % 2
    assert model.asked == [(labels.tolist(), 5, critic, keep) for keep in KEEPS]
    for point in points:
        images = Brightener().sample(140, None, 5, None, point["keep"])
        assert point["num_samples"] == 140
        assert point["class_agreement"] == np.mean(judge.predict(images) == labels)
        moments = [Moments(128), Moments(128)]
        for moment, pixels in zip(moments, (images, test.images), strict=True):
            moment.update(of_classifier(judge)(pixels)[0])
        expected = frechet_distance(*moments)
        assert point["fid_classifier_toy"] == pytest.approx(expected, rel=1e-3)
    distances = [point["fid_classifier_toy"] for point in points]
    assert distances == sorted(distances) and distances[0] < distances[-1]
    save_curve(tmp_path / "curve.png", points)
    pixels = np.asarray(Image.open(tmp_path / "curve.png").convert("RGB"))
    assert pixels.shape == (320, 800, 3) and len(np.unique(pixels)) > 50


def test_who_chooses_must_not_judge(test, tmp_path):
    classifier(0).save(tmp_path / "critic")
    critic = load_classifier(tmp_path / "critic")  # its weights as a file holds them
    for same in (critic, tmp_path / "critic", str(tmp_path / "critic")):
        with pytest.raises(ValueError, match="`critic` must be another network than `judge`"):
            keep_curve(Brightener(), test, critic, same)


def test_judges_of_other_classes_are_refused(test):
    with pytest.raises(ValueError, match="must know the classes"):
        keep_curve(Brightener(), test, classifier(0), classifier(1, ["a", "b"]))
