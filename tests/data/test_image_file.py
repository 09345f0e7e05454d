import numpy as np
import pytest
from tests.data.image_files import picture, write_picture
from PIL import Image

from vqzoo.data import read_image

GREY, RGB = (4, 6, 1), (4, 6, 3)


def save(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("shape", [GREY, RGB])
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".PNG"])
def test_pixels_come_back_unchanged(tmp_path, shape, suffix):
    pixels = picture(0, shape)
    write_picture(tmp_path / f"a{suffix}", pixels)
    for wanted in (shape, None, list(shape)):
        image = read_image(tmp_path / f"a{suffix}", wanted)
        assert image.dtype == np.uint8 and image.flags.writeable
        np.testing.assert_array_equal(image, pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_are_close(tmp_path, suffix):
    smooth = np.broadcast_to(np.linspace(0, 250, 16)[:, None, None], (16, 16, 3)).astype("uint8")
    path = save(tmp_path / f"a{suffix}", Image.fromarray(smooth), quality=95)
    difference = read_image(path, (16, 16, 3)).astype(int) - smooth
    assert np.abs(difference).max() < 16  # a ramp at quality 95; a wrong axis would be 250 off


def test_grey_is_repeated_for_three_channels(tmp_path):
    write_picture(tmp_path / "a.png", picture(0, GREY))
    image = read_image(tmp_path / "a.png", RGB)
    np.testing.assert_array_equal(image, np.repeat(picture(0, GREY), 3, axis=-1))


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 9, 1), (5, 9, 3)])
def test_any_size_needs_the_channels_alone(tmp_path, shape):
    write_picture(tmp_path / "a.png", picture(0, shape))
    wanted = (4, 6, shape[2])
    image = read_image(tmp_path / "a.png", wanted, any_size=True)
    np.testing.assert_array_equal(image, picture(0, shape))
    if shape[2] == 3:
        with pytest.raises(ValueError, match="a grey image is wanted"):
            read_image(tmp_path / "a.png", GREY, any_size=True)


def test_colour_is_never_made_grey(tmp_path):
    write_picture(tmp_path / "a.png", picture(0, RGB))
    with pytest.raises(ValueError, match=r'a\.png: a grey image is wanted.*RGB.*convert\("L"\)'):
        read_image(tmp_path / "a.png", GREY)


def test_a_palette_is_looked_up(tmp_path):
    colours = picture(0, RGB)
    palette = Image.fromarray(colours).quantize(64)  # 24 pixels: every colour keeps its place
    image = read_image(save(tmp_path / "a.png", palette), RGB)
    np.testing.assert_array_equal(image, np.asarray(palette.convert("RGB")))
    grey = Image.fromarray(picture(1, GREY)[..., 0]).convert("P")
    image = read_image(save(tmp_path / "b.png", grey), GREY)
    np.testing.assert_array_equal(image, picture(1, GREY))


def test_two_levels_are_black_and_white(tmp_path):
    levels = picture(0, GREY) > 127
    path = save(tmp_path / "a.png", Image.fromarray(levels[..., 0]))
    np.testing.assert_array_equal(read_image(path, GREY), levels * np.uint8(255))


def test_an_opaque_alpha_channel_is_dropped_and_another_refused(tmp_path):
    pixels = picture(0, (4, 6, 4))
    pixels[..., 3] = 255
    write_picture(tmp_path / "opaque.png", pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "opaque.png", RGB), pixels[..., :3])
    pixels[2, 3, 3] = 254
    write_picture(tmp_path / "glass.png", pixels)
    with pytest.raises(ValueError, match=r"glass\.png.*partly transparent"):
        read_image(tmp_path / "glass.png", RGB)


@pytest.mark.parametrize("mode", ["I;16", "CMYK"])
def test_other_pixels_are_refused_with_their_mode(tmp_path, mode):
    path = save(tmp_path / "a.tif", Image.new(mode, (6, 4)))
    with pytest.raises(ValueError, match=rf"a\.tif.*'{mode}'.*convert"):
        read_image(path, RGB)


def test_a_cameras_rotation_is_carried_out(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90 degrees clockwise to view
    path = save(tmp_path / "a.png", Image.fromarray(picture(0, RGB)), exif=exif)
    image = read_image(path, (6, 4, 3))
    np.testing.assert_array_equal(image, np.rot90(picture(0, RGB), -1))
    with pytest.raises(ValueError, match="6 high, 4 wide"):
        read_image(path, RGB)


@pytest.mark.parametrize("wanted", [(8, 8, 1), (6, 4, 1)])
def test_a_wrong_size_names_the_file_and_both_sizes(tmp_path, wanted):
    write_picture(tmp_path / "small.png", picture(0, GREY))
    high, wide, _ = wanted
    message = rf"small\.png: .*{high} pixels high and {wide} wide.*4 high, 6 wide.*resize"
    with pytest.raises(ValueError, match=message):
        read_image(tmp_path / "small.png", wanted)


def test_an_unreadable_file_is_named(tmp_path):
    write_picture(tmp_path / "cut.png", picture(0, (64, 64, 3)))
    content = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not an image")
    for name in ("cut.png", "empty.png", "text.jpg", "missing.png"):
        with pytest.raises(OSError, match=f"{name}: not readable.*skip-bad"):
            read_image(tmp_path / name)
