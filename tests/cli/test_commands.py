import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import vqzoo
from vqzoo import zoo
from vqzoo.cli.main import COMMANDS, main
from vqzoo.data.any_size import resized


@pytest.fixture
def work(tiny_folder, tiny_images, tmp_path, monkeypatch):
    """A working folder with `tiny/`, a model with two examples, and `images/`, six PNG files."""
    shutil.copytree(tiny_folder, tmp_path / "tiny")
    for folder, count in (("images", 6), ("tiny/examples", 2)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.fromarray(tiny_images[i, ..., 0]).save(tmp_path / folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path):
    return np.asarray(Image.open(path))[..., None]


def succeed(capsys, *arguments):
    """Runs a command that must succeed; returns what it printed."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert code == 0, output.err
    return output.out


def fail(capsys, code, *arguments):
    """Runs a command that must fail with this exit code and one line; returns the line."""
    assert main([str(argument) for argument in arguments]) == code
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(f"vqzoo {arguments[0]}: error: ")
    return line


def test_sample_writes_samples_and_reconstructions(work, capsys, tiny_model, monkeypatch):
    monkeypatch.setattr(zoo, "load", lambda name: tiny_model)  # which has compiled its sampler
    output = succeed(capsys, "sample", "tiny", "--num", 2, "--seed", 3)
    assert "6 samples to tiny_samples.png" in output
    assert "2 images and their reconstructions to tiny_reconstructions.png" in output
    grid = read("tiny_samples.png")
    scale = 64 // 8  # tiny images are enlarged to 64 pixels, with 2 white pixels between
    corner = grid[2 : 2 + 64 : scale, 2 : 2 + 96 : scale]
    expected = tiny_model.sample(6, [0, 0, 1, 1, 2, 2], seed=3)
    np.testing.assert_array_equal(corner, expected[0])
    np.testing.assert_array_equal(grid[-66:-2:scale, -98:-2:scale], expected[5])
    succeed(capsys, "sample", "tiny", "--labels", "coat,0", "--num", 1, "--output", "a.png")
    assert read("a.png").shape == (2 * 66 + 2, 98 + 2, 1)


def test_reconstruct_writes_a_file_for_each(work, capsys, tiny_images, tiny_model):
    output = succeed(capsys, "reconstruct", "tiny", "images", "--output", "out")
    assert "wrote 6 images to out/" in output
    expected = tiny_model.reconstruct(tiny_images)
    for i in range(6):
        np.testing.assert_array_equal(read(f"out/{i}.png"), expected[i])


@pytest.fixture
def sizes(work, tiny_images):
    """`sizes/` with pictures of many sizes, one of them the model's; their pixels by name."""
    shapes = {"fits": (8, 12), "large": (21, 50), "dot": (1, 1), "line": (1, 300), "wall": (90, 2)}
    generator = np.random.default_rng(0)
    pixels = {name: generator.integers(0, 256, shape, "uint8") for name, shape in shapes.items()}
    pixels["fits"] = tiny_images[0, ..., 0]
    (work / "sizes").mkdir()
    for name, picture in pixels.items():
        Image.fromarray(picture).convert("P" if name == "large" else "L").save(f"sizes/{name}.png")
    return pixels


def test_reconstruct_resizes_the_centre(work, sizes, capsys, tiny_model):
    output = succeed(capsys, "reconstruct", "tiny", "sizes", "--resize")
    assert "resized the centre of 4 of 5 images, to 8 pixels high and 12 wide\n" in output
    for name, picture in sizes.items():
        small = resized(picture[..., None], 8, 12)
        expected = tiny_model.reconstruct(small[None])[0]
        np.testing.assert_array_equal(read(f"reconstructions/{name}.png"), expected, err_msg=name)


def test_reconstruct_in_tiles_keeps_the_size(work, sizes, capsys, tiny_model):
    output = succeed(capsys, "reconstruct", "tiny", "sizes", "--tile")
    assert "cut into tiles: 4 of 5 images, to 8 pixels high and 12 wide\n" in output
    differences = []
    for name, picture in sizes.items():
        written = read(f"reconstructions/{name}.png")
        assert written.shape[:2] == picture.shape
        differences.append(np.abs(written[..., 0].astype(int) - picture).ravel())
    mean = np.concatenate(differences).mean()
    assert output.endswith(f"mean absolute error {mean:.1f} grey levels\n")
    large, whole = sizes["large"][..., None], read("reconstructions/large.png")
    for top, left in ((0, 0), (8, 24)):
        tile = large[None, top : top + 8, left : left + 12]
        expected = tiny_model.reconstruct(tile)[0]
        np.testing.assert_array_equal(whole[top : top + 8, left : left + 12], expected)


@pytest.mark.parametrize("flag", ["--resize", "--tile"])
def test_flags_say_that_nothing_had_to_change(work, capsys, flag, tiny_images, tiny_model):
    output = succeed(capsys, "reconstruct", "tiny", "images", flag)
    assert "0 of 6 images" in output
    expected = tiny_model.reconstruct(tiny_images)
    np.testing.assert_array_equal(read("reconstructions/3.png"), expected[3])


def test_another_size_is_refused_naming_the_flags(work, sizes, capsys):
    line = fail(capsys, 1, "reconstruct", "tiny", "sizes")
    assert "sizes/dot.png: images must be 8 pixels high and 12 wide. Received: 1 high, 1" in line
    assert "--resize" in line and "--tile" in line and not (work / "reconstructions").exists()


@pytest.mark.parametrize("flag", ["--resize", "--tile"])
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("RGB", "a grey image is wanted"),
        ("LA", "the image is partly transparent"),
        ("I;16", "pixels must be 8-bit grey or RGB"),
    ],
)
def test_no_flag_changes_colours(work, capsys, flag, mode, message):
    Image.new(mode, (30, 20)).save("odd.png")
    assert f"odd.png: {message}" in fail(capsys, 1, "reconstruct", "tiny", "odd.png", flag)
    assert not (work / "reconstructions").exists()


def test_encode_and_decode_are_reconstruct(work, capsys, tiny_images, tiny_model):
    succeed(capsys, "encode", "tiny", "images/1.png", "images/4.png", "--output", "c.npz")
    with np.load("c.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["codes_0"], tiny_model.encode(tiny_images)[0][[1, 4]])
        assert archive["names"].tolist() == ["1.png", "4.png"]
        assert str(archive["tokenizer_hash"]) == tiny_model.autoencoder.tokenizer_hash()
    succeed(capsys, "decode", "tiny", "c.npz")
    expected = tiny_model.reconstruct(tiny_images)
    np.testing.assert_array_equal(read("decoded/1.png"), expected[1])
    np.testing.assert_array_equal(read("decoded/4.png"), expected[4])


def test_codes_of_another_model_are_refused(work, capsys, tiny_yaml):
    vqzoo.create(tiny_yaml).save("other")
    succeed(capsys, "encode", "tiny", "images")
    assert "codes of another model" in fail(capsys, 1, "decode", "other", "codes.npz")
    (work / "codes.npz").write_bytes((work / "codes.npz").read_bytes()[:-30])
    assert "not a whole file" in fail(capsys, 1, "decode", "tiny", "codes.npz")


@pytest.mark.parametrize("by_mask", [True, False])
def test_complete_changes_the_part_alone(
    work, capsys, tiny_model, tiny_images, monkeypatch, by_mask
):
    monkeypatch.setattr(zoo, "load", lambda name: tiny_model)
    part = np.zeros((8, 12), bool)
    part[4:, 2:5] = True
    Image.fromarray(np.where(part, 255, 0).astype("uint8")).save("mask.png")
    where = ["--mask", "mask.png"] if by_mask else ["--box", "4,2,4,3"]
    succeed(capsys, "complete", "tiny", "images", *where, "--labels", "bag", "--seed", 7)
    expected = tiny_model.complete(tiny_images, part, "bag", seed=7)
    for i in range(6):
        np.testing.assert_array_equal(read(f"completed/{i}.png"), expected[i])
        np.testing.assert_array_equal(read(f"completed/{i}.png")[~part], tiny_images[i][~part])


def test_names_of_images_below_folders(work, capsys):
    (work / "images" / "more").mkdir()
    shutil.copy("images/0.png", "images/more/0.png")
    succeed(capsys, "reconstruct", "tiny", "images", "--output", "out")
    assert (work / "out" / "more" / "0.png").exists() and (work / "out" / "0.png").exists()
    line = fail(capsys, 1, "reconstruct", "tiny", "images/0.png", "images/more/0.png")
    assert "two images are called 0: images/0.png and images/more/0.png; name their" in line
    line = fail(capsys, 1, "encode", "tiny", "images/0.png", "images/1.png", "images/1.png")
    assert "two images are called 1: images/1.png and images/1.png; name it once" in line
    Image.open("images/0.png").save("images/0.bmp")
    line = fail(capsys, 1, "encode", "tiny", "images")
    assert "two images are called 0: images/0.bmp and images/0.png; rename one of them" in line


def test_unreadable_images_are_named_or_skipped(work, capsys, caplog):
    (work / "images" / "3.png").write_bytes(b"no picture")
    assert "3.png" in fail(capsys, 1, "reconstruct", "tiny", "images")
    assert "wrote 5 images" in succeed(capsys, "reconstruct", "tiny", "images", "--skip-bad")
    assert "left out 1 unreadable" in caplog.text
    Image.new("L", (9, 9)).save("images/3.png")
    assert "8 pixels high and 12 wide" in fail(capsys, 1, "encode", "tiny", "images", "--skip-bad")


def test_list_and_describe(work, capsys):
    assert re.search(r"^vqvae_fashion_mnist +(no )?weights +fashion_mnist 28x28x1$",
                     succeed(capsys, "list", "vqvae_f*"), re.MULTILINE)  # fmt: skip
    assert "num_embeddings: 512" in succeed(capsys, "describe", "vqvae_fashion_mnist")
    (work / "tiny" / "results.json").write_text('{"scores": {"a": {"mse": 0.25, "n": 3}}}')
    assert succeed(capsys, "describe", "tiny").endswith("a.mse 0.25\na.n 3\n")
    assert "no entry is called 'x*'" in fail(capsys, 1, "list", "x*")


def test_train_evaluate_and_export_hand_on_their_arguments(work, capsys, monkeypatch, tiny_model):
    from vqzoo import data, evaluation
    from vqzoo.training import recipe

    calls = []
    monkeypatch.setattr(recipe, "train", lambda *args, **kwargs: calls.append((args, kwargs)))
    arguments = ["--smoke", "--data", "images", "--data", "tiny", "--folder", "r"]
    succeed(capsys, "train", "vqvae_fashion_mnist", *arguments, "--from", "tiny")
    (((name,), keywords),) = calls
    assert name == "vqvae_fashion_mnist"
    assert list(map(str, keywords.pop("data"))) == ["images", "tiny"]
    assert keywords.pop("folder") == pathlib.Path("r")
    assert not keywords.pop("tokenizer_only")
    assert keywords == {"smoke": True, "skip_bad": False, "start_from": "tiny"}

    scores = {"reconstruction": {"mse": 0.5, "per_image": [1, 2]}}
    monkeypatch.setattr(data, "open_source", lambda config, split, folder, skip, whole: split)
    monkeypatch.setattr(
        evaluation, "evaluate", lambda model, *rest: calls.append(rest) or dict(scores)
    )
    assert succeed(capsys, "evaluate", "tiny", "--seed", 5) == "reconstruction.mse 0.5\n"
    assert "wrote s.json" in succeed(capsys, "evaluate", "tiny", "--seed", 5, "--output", "s.json")
    assert json.loads((work / "s.json").read_text()) == scores
    assert calls[1] == ("test", "train", None, 2000, 5, None)
    monkeypatch.setattr(evaluation, "open_network", lambda name: f"network {name}")
    monkeypatch.setattr(evaluation, "cas_scores", lambda model, *splits, seed: {"accuracy": seed})
    pixels = np.zeros((4, 4, 1), "uint8")
    monkeypatch.setattr(
        evaluation, "neighbours_picture", lambda *rest, network: calls.append(network) or pixels
    )
    arguments = ["--features", "a", "--features", "b", "--samples", 7, "--cas", "--seed", 3]
    printed = succeed(capsys, "evaluate", "tiny", *arguments, "--neighbours", "n.png")
    assert printed == "reconstruction.mse 0.5\ncas.accuracy 3\nwrote n.png\n"
    assert calls[-2:] == [("test", "train", None, 7, 3, ["network a", "network b"]), "network a"]
    assert (work / "n.png").is_file()
    point = {"keep": 0.1, "class_agreement": 0.5, "precision_x": 0.5, "recall_x": 0.5, "fid_x": 1.0}
    monkeypatch.setattr(
        evaluation, "keep_curve", lambda model, *rest: calls.append(rest) or [point, point]
    )
    monkeypatch.setattr(evaluation, "load_classifier", lambda name: f"classifier {name}")
    arguments = ["--critic", "c", "--judge", "j", "--keep-curve", "k.png"]
    printed = succeed(capsys, "evaluate", "tiny", *arguments)
    assert "keep_curve.0.1.fid_x 1\n" in printed and printed.endswith("wrote k.png\n")
    assert calls[-2:] == [
        ("test", "c", "classifier j", 2000, 0),
        ("test", "train", "classifier j", 2000, 0, None),
    ]
    assert (work / "k.png").is_file()

    monkeypatch.setattr(vqzoo.ZooModel, "export", lambda model, folder: f"{folder}/1")
    assert succeed(capsys, "export", "tiny", "served/tiny") == "wrote served/tiny/1\n"


def test_verify_counts_what_is_wrong(capsys, monkeypatch):
    monkeypatch.setattr(zoo, "verify", lambda: iter([("a/b.h5", None)]))
    assert succeed(capsys, "verify") == "ok   a/b.h5\n"
    monkeypatch.setattr(zoo, "verify", lambda: iter([("a/b.h5", None), ("a/c.h5", "is not here")]))
    assert "not what they were published as: 1 file" in fail(capsys, 1, "verify")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "vqvae_fashon"], "no model named 'vqvae_fashon'; did you mean vqvae_fash"),
        (["sample", "tiny", "--labels", "bags"], "did you mean bag? It has boot, bag, coat, or ids 0..2"),
        (["sample", "tiny", "--labels", "3"], "no class '3'; it has boot, bag, coat, or ids 0..2"),
        (["sample", "tiny", "--labels", "-1"], "no class '-1'; it has boot, bag, coat, or ids"),
        (["sample", "tiny", "--labels", ""], "no class ''; it has boot, bag, coat, or ids 0..2"),
        (["complete", "tiny", "images", "--box", "4,0,4,2", "--labels", ""], "no class ''"),
        (["sample", ""], "no model named ''; the entries are "),
        (["train", ""], "no entry named ''; the entries are "),
        (["sample", "tiny", "--frob", "1"], "unrecognized arguments: --frob 1"),
        (["sample", "tiny", "--num", "0"], "--num: must be a whole number of 1 or more"),
        (["sample", "tiny", "--seed", "-1"], "--seed: must be a whole number in 0..4294967295"),
        (["sample", "tiny", "--temperature", "0"], "--temperature: must be a number above 0"),
        (["sample", "tiny", "--top-p", "1.5"], "--top-p: must be a number above 0, at most 1"),
        (["reconstruct", "tiny", "nowhere"], "there is no file or folder 'nowhere'"),
        (["reconstruct", "tiny", "images", "--tile", "--resize"], "not allowed with"),
        (["complete", "tiny", "images"], "--mask --box is required"),
        (["complete", "tiny", "images", "--box", "1,2"], "must be top,left,height,width"),
        (["complete", "tiny", "images", "--box", "4,0,5,2"], "inside 8 rows and 12 columns"),
        (["complete", "tiny", "images", "--box", "4,0,4,2", "--labels", "0,1"], "each of 6 images"),
        (["train", "vqvae_fashion"], "did you mean vqvae_fashion_mnist?"),
        (["train", "vqvae_mnist", "--from", "nowhere"], "--from: no model named 'nowhere'"),
        (["train", "vqvae_mnist", "--devices", "0,0"], "must be distinct ids such as 0,1"),
        (["train", "vqvae_mnist", "--devices", "GPU:0"], "must be distinct ids such as 0,1"),
        (["train", "vqvae_mnist", "--devices", ""], "must be distinct ids such as 0,1, not ''"),
        (["train", "nowhere.yaml"], "there is no file or folder 'nowhere.yaml'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(work, capsys, arguments, message):
    assert message in fail(capsys, 2, *arguments)


@pytest.mark.parametrize(
    ("size", "white", "message"),
    [
        ((12, 8), 0, "mask.png is white nowhere"),
        ((8, 12), 255, "mask.png must be 8 pixels high and 12 wide, or have a pixel for each"),
        (None, None, "mask.png is no readable image"),
    ],
)
def test_wrong_masks_are_named(work, capsys, tiny_model, monkeypatch, size, white, message):
    monkeypatch.setattr(zoo, "load", lambda name: tiny_model)
    (work / "mask.png").write_bytes(b"no picture")
    if size:
        Image.new("L", size, white).save("mask.png")
    line = fail(capsys, 1, "complete", "tiny", "images", "--mask", "mask.png")
    assert f"argument --mask: {message}" in line and "--skip-bad" not in line


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vqzoo {vqzoo.__version__}\n"


def test_wrong_commands(capsys):
    assert main(["sampel"]) == 2
    assert "invalid choice: 'sampel'" in capsys.readouterr().err
    assert main([]) == 2
    assert main(["list", "--long"]) == 2
    assert "unrecognized arguments: --long" in capsys.readouterr().err


def test_a_failure_is_one_line_unless_debugged(work, capsys):
    (work / "tiny" / "prior.weights.h5").write_bytes(b"short")
    line = fail(capsys, 1, "sample", "tiny")
    assert "prior.weights.h5 is damaged" in line
    assert main(["sample", "tiny", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_has_an_example(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 40
    assert f"example:\n  vqzoo {command}" in text


def test_a_fresh_process_says_nothing_but_what_it_wrote(work):
    environ = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(vqzoo.__file__))}
    environ.pop("TF_CPP_MIN_LOG_LEVEL", None)  # which the tests have set
    run = subprocess.run(
        [sys.executable, "-m", "vqzoo.cli.main", "reconstruct", "tiny", "images"],
        capture_output=True,
        text=True,
        env=environ,
    )
    assert run.returncode == 0
    assert run.stdout.startswith("wrote 6 images to reconstructions/\nmean absolute error ")
    assert run.stderr == ""
