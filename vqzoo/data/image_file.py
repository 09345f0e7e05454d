"""Reads one image file as an array, changing no pixel on the way."""

import numpy as np

from vqzoo.checks import checked_path, checked_sizes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm")
"""File names that count as images, in lower case."""


def read_image(path, image_shape=None, any_size=False):
    """Returns the picture in a file as uint8 `[H, W, C]`.

    Nothing is resized, and no colour is mixed into grey or blended with a background. What loses
    nothing is done: a rotation that a camera noted in the file is carried out, a palette is looked
    up, an alpha channel that is opaque everywhere is dropped, and grey is repeated where three
    channels are wanted.

    Args:
        path: str or path of the file.
        image_shape: (height, width, channels) that the picture must have; channels 1 for grey or 3
            for RGB. None: whatever the file holds.
        any_size: bool, whether the channels alone of `image_shape` count.

    Raises:
        OSError: if the file cannot be read as an image.
        ValueError: if the picture is not of `image_shape`, has 16 bits, CMYK or transparency, or
            if the file holds several.
    """
    path = checked_path(path, "path")
    if image_shape is not None:
        image_shape = checked_image_shape(image_shape)
    image = _decode(path, None if any_size else image_shape)
    image = _without_alpha(_without_palette(image), path)
    if image.mode not in ("L", "RGB"):
        raise ValueError(
            f"{path}: pixels must be 8-bit grey or RGB. Received: mode {image.mode!r}; convert it "
            'with Pillow, for example Image.open(path).convert("RGB").save(path)'
        )
    if image_shape is None:
        pixels = np.array(image)
        return pixels.reshape(*pixels.shape[:2], -1)
    height, width, channels = image_shape
    if image.size != (width, height) and not any_size:
        raise _wrong_size(path, image.size, image_shape)
    if channels == 1 and image.mode == "RGB":
        raise ValueError(
            f"{path}: a grey image is wanted. Received: an RGB image; convert it with Pillow, for "
            'example Image.open(path).convert("L").save(path)'
        )
    pixels = np.array(image if channels == 1 else image.convert("RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def checked_image_shape(image_shape):
    """The shape as a tuple, or a ValueError if it is not (height, width, 1 or 3)."""
    right = "(height, width, channels)"
    image_shape = checked_sizes(image_shape, "image_shape", right, 3)
    if image_shape[2] not in (1, 3):
        raise ValueError(f"`image_shape` must end in 1 or 3 channels. Received: {image_shape}")
    return image_shape


def _decode(path, image_shape):
    """Returns the decoded, upright Pillow image; a size that is wrong anyway is not decoded."""
    from PIL import Image, ImageOps

    try:
        image = Image.open(path)
        # An MPO file is a camera's JPEG with a preview behind the picture.
        moving = getattr(image, "is_animated", False) and image.format != "MPO"
        sides = sorted(image.size)  # a rotation that the file asks for may still swap them
        fits = image_shape is None or sides == sorted(image_shape[:2])
        if fits:
            image = ImageOps.exif_transpose(image)
            image.load()
    except Exception as error:  # Pillow's decoders raise a dozen types on broken files
        raise OSError(
            f"{path}: not readable as an image ({error}); mend or remove it, or leave out such "
            "files with --skip-bad (skip_bad=True)"
        ) from error
    if moving:
        raise ValueError(f"{path}: one picture is wanted. Received: several in one file")
    if not fits:
        raise _wrong_size(path, image.size, image_shape)
    return image


def _wrong_size(path, size, image_shape):
    height, width, _ = image_shape
    return ValueError(
        f"{path}: images must be {height} pixels high and {width} wide, and are not resized "
        f"silently. Received: {size[1]} high, {size[0]} wide; resize it with Pillow, for example "
        f"Image.open(path).resize(({width}, {height})).save(path)"
    )


def _without_palette(image):
    """Returns a palette or two-level image with its colours looked up; grey ones stay grey."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode != "P":
        return image
    # A palette may name one of its colours transparent; whether a pixel has it shows later.
    if "transparency" in image.info:
        return image.convert("RGBA")
    colours = image.convert("RGB")
    # Grey pictures are often stored with a palette; as RGB they would be refused where grey fits.
    pixels = np.asarray(colours)
    return colours.convert("L") if (pixels == pixels[..., :1]).all() else colours


def _without_alpha(image, path):
    """Returns the image without an alpha channel that hides nothing."""
    if image.mode not in ("LA", "RGBA"):
        return image
    if image.getchannel("A").getextrema() != (255, 255):
        raise ValueError(
            f"{path}: the image is partly transparent and its background unknown; paste it onto "
            'one, for example with Pillow\'s Image.alpha_composite, and save it as "RGB" or "L"'
        )
    return image.convert(image.mode[:-1])
