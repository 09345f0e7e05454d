"""Pictures of any size for a model of one: resized or cropped to it, or cut into its tiles."""

import math

import numpy as np


def resized(picture, height, width):
    """The picture's centre at another size.

    What the target's shape leaves over is cut off, half on each side; the rest is shrunk or
    enlarged by Pillow's Lanczos filter, which averages over all pixels that it shrinks.

    Args:
        picture: uint8 `[H, W, C]`, C 1 or 3.
        height, width: int, the wanted size in pixels.

    Returns:
        uint8 `[height, width, C]`; a picture of that size as it is.
    """
    from PIL import Image, ImageOps

    if picture.shape[:2] == (height, width):
        return picture
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.array(image).reshape(height, width, -1)


def enlarged(picture, height, width):
    """The picture, enlarged by as little as makes a part of that size fit; its shape is kept.

    Args, filter and dtype as for `resized`; a picture that is large enough is left as it is.
    """
    factor = max(height / picture.shape[0], width / picture.shape[1], 1)
    return resized(picture, *(math.ceil(side * factor) for side in picture.shape[:2]))


def check_size(what, picture, height, width):
    """Raises ValueError, calling the picture `what`, unless a crop of that size fits into it."""
    if picture.shape[0] < height or picture.shape[1] < width:
        raise ValueError(
            f"{what}: a picture that is cropped (`data.crop`) must be at least {height} pixels "
            f"high and {width} wide. Received: {picture.shape[0]} high, {picture.shape[1]} wide"
        )


def cropped(picture, height, width, generator=None):
    """A part of a picture, at the picture's own scale.

    Args:
        picture: array `[H, W, C]`, at least `height` high and `width` wide.
        height, width: int, size of the part in pixels.
        generator: `numpy.random.Generator` that draws the place, each equally likely, or None for
            the middle (of two middles the upper and left one).

    Returns:
        View `[height, width, C]` of the picture.
    """
    rows, columns = picture.shape[0] - height, picture.shape[1] - width
    if generator is None:
        top, left = rows // 2, columns // 2
    else:
        top, left = generator.integers(0, (rows + 1, columns + 1))
    return picture[top : top + height, left : left + width]


def cut_tiles(picture, height, width):
    """Cuts a picture into tiles, row by row from the top left corner.

    The last row and column are filled up by the mirrored picture.

    Args:
        picture: `[H, W, C]`, H and W 1 or more.
        height, width: int, size of a tile in pixels.

    Returns:
        `[ceil(H / height) * ceil(W / width), height, width, C]`.
    """
    rows, columns = _grid(picture.shape[:2], height, width)
    bottom, right = rows * height - picture.shape[0], columns * width - picture.shape[1]
    whole = np.pad(picture, ((0, bottom), (0, right), (0, 0)), "symmetric")
    tiles = whole.reshape(rows, height, columns, width, -1).swapaxes(1, 2)
    return tiles.reshape(rows * columns, height, width, -1)


def join_tiles(tiles, height, width):
    """Puts the tiles of `cut_tiles` together again.

    Args:
        tiles: `[tiles, tile height, tile width, C]`.
        height, width: int, size of the picture in pixels.

    Returns:
        `[height, width, C]`.
    """
    _, tile_height, tile_width, channels = tiles.shape
    rows, columns = _grid((height, width), tile_height, tile_width)
    whole = tiles.reshape(rows, columns, tile_height, tile_width, channels).swapaxes(1, 2)
    return whole.reshape(rows * tile_height, columns * tile_width, channels)[:height, :width]


def _grid(size, tile_height, tile_width):
    """Rows and columns of tiles that cover a picture of `size`, (height, width)."""
    return math.ceil(size[0] / tile_height), math.ceil(size[1] / tile_width)
