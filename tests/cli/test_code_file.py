"""Files of codes from strangers: what is refused before anything is written."""

import numpy as np
import pytest

from vqzoo.cli.code_file import read_codes, write_codes
from vqzoo.cli.main import main


@pytest.fixture
def codes(tiny_model, tiny_images):
    return tiny_model.encode(tiny_images[:2])


def archive(tiny_model, codes, **changes):
    """The arrays of a right file, but for `changes`; those changed to None are left out."""
    content = {
        "codes_0": codes[0],
        "names": np.array(["a.png", "b/c.png"]),
        "tokenizer_hash": np.array(tiny_model.autoencoder.tokenizer_hash()),
        "format_version": np.array(1),
    } | changes
    return {key: value for key, value in content.items() if value is not None}


def test_what_is_written_is_read(tmp_path, tiny_model, codes):
    write_codes(tmp_path / "c.npz", codes, ["a.png", "b/c.png"], tiny_model.autoencoder)
    read, names = read_codes(tmp_path / "c.npz", tiny_model.autoencoder)
    np.testing.assert_array_equal(read[0], codes[0])
    assert len(read) == 1 and names == ["a.png", "b/c.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/x.png", "..", ".", ""])
def test_no_image_is_written_outside_the_folder(
    tmp_path, capsys, tiny_model, tiny_folder, codes, name
):
    content = archive(tiny_model, codes, names=np.array(["a.png", name]))
    np.savez(tmp_path / "c.npz", **content)
    output = tmp_path / "deep" / "out"
    arguments = [tiny_folder, tmp_path / "c.npz", "--output", output]
    assert main(["decode", *map(str, arguments)]) == 1
    assert "names must be relative paths without `..`" in capsys.readouterr().err
    assert not output.exists() and not (tmp_path / "deep" / "x.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": None}, "it has no array 'names'"),
        ({"tokenizer_hash": None}, "it has no array 'tokenizer_hash'"),
        ({"codes_0": None}, "it has no array 'codes_0'"),
        ({"format_version": np.array(2)}, "has format version 2; this vqzoo reads 1"),
        ({"names": np.array(["a.png"])}, r"codes_0 \(1, 2, 3\) for 1 names .* codes_0 \(2, 2, 3\)"),
        ({"names": np.array(["a.png", "a.jpg"])}, "must be distinct. Received: 'a.jpg' twice"),
        ({"codes_0": np.zeros((2, 3, 2), int)}, r"Received: codes_0 \(2, 3, 2\)"),
        ({"codes_1": np.zeros((2, 2, 3), int)}, r"Received: codes_0 .*, codes_1 \(2, 2, 3\)"),
        ({"codes_0": np.zeros((2, 2, 3))}, "codes_0 must be integers"),
        ({"names": np.array([{}, 1], dtype=object)}, "is not a whole file that"),
    ],
)
def test_wrong_content_is_named(tmp_path, tiny_model, codes, changes, message):
    np.savez(tmp_path / "c.npz", **archive(tiny_model, codes, **changes))
    with pytest.raises(ValueError, match=message):
        read_codes(tmp_path / "c.npz", tiny_model.autoencoder)


def test_other_files_are_refused_in_a_sentence(tmp_path, tiny_model):
    path = tmp_path / "c.npz"
    path.write_text("no archive")
    with pytest.raises(ValueError, match="c.npz is not a whole file that `vqzoo encode` wrote$"):
        read_codes(path, tiny_model.autoencoder)
