"""TensorBoard reads the event files as they are meant, also after a run that was killed."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from vqzoo.training.event_log import EventLog


def read(folder):
    events = EventMultiplexer().AddRunsFromDirectory(str(folder))
    events.Reload()
    return events


def test_scalars_come_back_and_what_a_killed_run_wrote_ahead_is_dropped(tmp_path):
    first = EventLog(tmp_path, 0)
    for step in (10, 20, 30):
        first.scalars(step, {"loss": step / 100, "mse": 1.0})
    first.close()
    second = EventLog(tmp_path, 10)  # killed after step 30, restored from step 10
    second.scalars(20, {"loss": 7.0})
    second.close()
    found = read(tmp_path).Scalars(".", "loss")
    assert [(event.step, event.value) for event in found] == [(10, pytest.approx(0.1)), (20, 7.0)]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_come_back(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), "uint8")
    log = EventLog(tmp_path)
    log.image(3, "samples", image)
    log.close()
    (event,) = read(tmp_path).Images(".", "samples")
    assert (event.step, event.width, event.height) == (3, 7, 5)
    png = io.BytesIO(event.encoded_image_string)
    decoded = np.asarray(Image.open(png)).reshape(5, 7, channels)
    np.testing.assert_array_equal(decoded, image)


def test_usage_is_a_histogram_over_the_codes(tmp_path):
    counts = np.array([4, 0, 1, 3])
    log = EventLog(tmp_path)
    log.usage(3, "usage", counts)
    log.close()
    (event,) = read(tmp_path).Histograms(".", "usage")
    assert (event.step, event.histogram_value.num) == (3, 8)
    assert event.histogram_value.bucket_limit == [1, 2, 3, 4]
    assert event.histogram_value.bucket == [4, 0, 1, 3]


def test_needs_no_tensorflow(tmp_path):
    code = (
        "import sys; from vqzoo.training.event_log import EventLog\n"
        f"log = EventLog({str(tmp_path)!r}); log.scalars(1, {{'a': 1.0}}); log.close()\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
