"""SamplingOptions checks itself."""

import pytest

from vqzoo.sampling import SamplingOptions


@pytest.mark.parametrize(
    "name, value",
    [
        ("temperature", 0.0),
        ("temperature", -1.0),
        ("temperature", float("inf")),
        ("temperature", float("nan")),
        ("top_k", 0),
        ("top_k", 1.5),
        ("top_p", 0.0),
        ("top_p", 1.1),
    ],
)
def test_errors_name_the_argument(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        SamplingOptions(**{name: value})


def test_defaults_change_nothing():
    options = SamplingOptions()
    assert (options.temperature, options.top_k, options.top_p, options.incremental) == (
        1.0,
        None,
        None,
        True,
    )
