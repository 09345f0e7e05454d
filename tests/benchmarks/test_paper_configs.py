"""What the paper's entries do at full resolution; `docs/vqvae2.md` shows the figures of one run."""

import json
import math
import pathlib

import pytest

from benchmarks import paper_configs
from vqzoo.config import load_config, stages
from vqzoo.data import CodeStore

MOST_GIB = 6
"""Memory that sampling a 1024 x 1024 image of three levels may take at the most."""


@pytest.mark.slow
@pytest.mark.parametrize("name", paper_configs.ENTRIES)
def test_an_entry_is_killed_goes_on_samples_and_is_exported(name, tmp_path):
    folder = tmp_path / "all"
    found = paper_configs.run(name, folder)  # which checks the exit of every process
    config = load_config(name)
    assert found["sample_shape"] == [1, *config["data"]["image_shape"]]
    assert found["signatures"] == ["decode", "encode", "reconstruct", "sample"]
    assert max(found["peak_memory_gib"].values()) < MOST_GIB
    assert found["seconds_per_step"].keys() == stages(config).keys()
    assert min(found["seconds_per_step"].values()) > 0
    whole = found["parameters_at_full_width"]
    assert whole["autoencoder"] == found["parameters"]["autoencoder"]
    store = CodeStore(folder / "run" / "codes" / "train")
    assert len(store) == paper_configs.TRAIN_IMAGES
    pixels = math.prod(config["data"]["image_shape"][:2])
    finest = pixels // config["autoencoder"]["bottom_stride"] ** 2
    codes = [math.prod(shape) for shape in store.latent_shapes]
    assert codes == [finest // 4**i for i in reversed(range(len(codes)))]


DOCS = pathlib.Path(paper_configs.__file__).parents[1] / "docs"


@pytest.mark.parametrize("path", sorted(DOCS.glob("vqvae2/*.json")), ids=lambda path: path.stem)
def test_the_page_shows_what_the_results_hold(path):
    results = json.loads(path.read_text("utf-8"))
    page = (DOCS / "vqvae2.md").read_text("utf-8")
    assert all(row in page for row in paper_configs.table_rows(results))
    for memory in results["peak_memory_gib"].values():
        assert f"{memory:.1f} GiB" in page and memory < MOST_GIB
