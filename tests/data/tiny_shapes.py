"""A TensorFlow dataset that tests write with TFDS itself: random pixels of two classes."""

import tensorflow_datasets as tfds
from tests.data.image_files import picture

SIZES = {"train": 10, "test": 4}


class TinyShapes(tfds.core.GeneratorBasedBuilder):
    """The k-th image of a split is `picture(k)`, or `picture(100 + k)` for testing."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(4, 6, 1)),
            "label": tfds.features.ClassLabel(names=["even", "odd"]),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for i in range(SIZES[split]):
            number = i + 100 * (split == "test")
            yield i, {"image": picture(number), "label": number % 2}


class TinyPhotos(tfds.core.GeneratorBasedBuilder):
    """Images of two sizes, without labels."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"image": tfds.features.Image()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(4):
            yield i, {"image": picture(i, (4, 6 + i // 3, 3))}
