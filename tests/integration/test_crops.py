"""A recipe on crops of pictures of differing size, with a prior over whole images."""

import numpy as np
import pytest
import tests.integration.tiny_run as tiny_run
from PIL import Image

import vqzoo
from vqzoo import config as configs
from vqzoo.training import recipe


@pytest.fixture
def pictures(tmp_path):
    """Stripes of 12 x 12 pixels, and of 16 x 12, for a model of 12 x 12 that trains on 8 x 8."""
    tiny_run.write_images(tmp_path, side=12)
    for path in sorted(tmp_path.glob("*/across/*.png"))[::2]:
        pixels = np.asarray(Image.open(path))
        Image.fromarray(np.concatenate([pixels, pixels[:4]])).save(path)
    config = configs.parse(tiny_run.CONFIG)
    config["data"] |= {"image_shape": [12, 12, 1], "crop": [8, 8]}
    (tmp_path / "stripes.yaml").write_text(configs.dump(config), encoding="utf-8")
    return tmp_path


def test_a_recipe_on_crops(pictures, tmp_path):
    model = tiny_run.train(pictures, tmp_path / "run", smoke=True)
    assert model.sample(2).shape == (2, 12, 12, 1), "the prior knows maps of crops"
    assert (tmp_path / "run" / "results.json").exists()


def test_a_picture_too_small_for_the_prior_is_named_before_stage_1(pictures, monkeypatch):
    """It has room for a crop and none for a whole image, of which the prior needs the codes."""
    Image.new("L", (12, 8)).save(pictures / "train" / "down" / "small.png")
    reached = []
    monkeypatch.setattr(recipe.Recipe, "run", lambda self, *_: reached.append(self))
    monkeypatch.setattr(recipe, "judge", lambda *_: None)
    with pytest.raises(ValueError, match=r"small\.png: .*at least 12 .*Received: 8 high"):
        tiny_run.train(pictures, pictures / "run")
    assert not reached and not (pictures / "run" / "config.yaml").exists()
    tiny_run.train(pictures, pictures / "run", tokenizer_only=True)
    assert reached, "the autoencoder alone could be trained"


def test_a_crop_that_the_stride_does_not_divide_is_refused_first(pictures):
    config = configs.load_config(pictures / "stripes.yaml")
    config["data"]["crop"] = [8, 6]
    (pictures / "other.yaml").write_text(configs.dump(config), encoding="utf-8")
    with pytest.raises(ValueError, match=r"`data.crop` must be multiples of 4 .*\[8, 6\]"):
        vqzoo.train(pictures / "other.yaml", pictures, pictures / "run")
    assert not (pictures / "run" / "config.yaml").exists()
