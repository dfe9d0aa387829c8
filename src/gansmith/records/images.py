"""Image files of tensors in [-1, 1]: one sheet of many images.

Images [N, C, H, W] are grey (C = 1), RGB (3) or RGBA (4; sheets stay RGBA, with transparent gaps, and are laid on
white where a file format knows no transparency). Points of the plane, which are images [N, 2, 1, 1], become one
scatter plot of the square [-1, 1] x [-1, 1].
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gansmith.errors import NotFiniteError, OptionError
from gansmith.records.png_text import text_chunks
from gansmith.system.files import atomic

Colour = tuple[int, int, int]

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_FORMATS: dict[str, tuple[str, int, dict[str, Any]]] = {  # suffix -> Pillow's name, most pixels a side, options
    ".png": ("PNG", 2**31 - 1, {}),
    ".jpg": ("JPEG", 65_535, {"quality": 90}),
    ".jpeg": ("JPEG", 65_535, {"quality": 90}),
    ".webp": ("WEBP", 16_383, {"quality": 80, "method": 4}),
}
SUFFIXES = tuple(_FORMATS)  # of image files that can be written
_PLANE, _PLANE_SCALE = 256, 2  # pixels a side of a scatter plot, and its scale for viewing
_SHARP = 4  # drawn this much larger, then reduced: smooth dots
_VIEWED, _VIEWED_IMAGE = 900, 256  # pixels a side of a sheet on a screen, and the most of one image
_MARK = (200, 30, 30)  # red
_PIXELS = 2**26  # of an enlarged sheet
_LETTERS = 11  # the smallest legible letters, in pixels


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Images [..., C, H, W] in [-1, 1] -> uint8 [..., H, W, C]: round((x + 1) * 127.5), clamped.

    Raises NotFiniteError for a NaN or an infinity.
    """
    images = images.detach().float().cpu()
    if not bool(torch.isfinite(images).all()):
        raise NotFiniteError("an image holds a NaN or an infinity and cannot be drawn: the generator has diverged")
    levels = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.movedim(-3, -1).numpy())


def draw_sheet(
    images: Tensor,
    *,
    columns: int | None = None,
    padding: int = 2,
    background: Colour = (255, 255, 255),
    labels: Sequence[str] | None = None,
    marked: Sequence[bool] | None = None,
    scale: int | None = 1,
) -> Image.Image:
    """A sheet of images [N, C, H, W], row by row, `padding` pixels round each; points [N, 2, 1, 1] as a scatter plot.

    columns: near-square without a value (64 images: 8 x 8). scale: each pixel, of the padding too, becomes so many
    squared; None: `viewing_scale`. labels: written on the images, whose scale is larger where they are too small to be
    read on; marked: images with a red frame; a grey sheet becomes RGB. Points take neither.
    Raises OptionError for images that are neither grey, RGB, RGBA nor points, or for an enlarged sheet of more than
    2^26 pixels.
    """
    if images.dim() != 4 or len(images) == 0:
        raise OptionError(f"a sheet needs images [N, C, H, W], at least one, not {list(images.shape)}")
    if tuple(images.shape[1:]) == (2, 1, 1):
        return draw_scatter(images.flatten(1), background=background, scale=_PLANE_SCALE if scale is None else scale)
    count, channels = images.shape[:2]
    _require_sheet(count, channels, columns, labels)
    across = min(columns or math.ceil(math.sqrt(count)), count)
    down = -(-count // across)
    times = viewing_scale(down, across, images.shape[2:], padding=padding) if scale is None else scale
    if labels is not None:
        times = max(times, _enlargement(labels, images.shape[2], images.shape[3]))
    pixels = to_uint8(images)
    if marked is not None and channels == 1:
        pixels, channels = pixels.repeat(3, axis=3), 3
    height, width, gap = images.shape[2] * times, images.shape[3] * times, padding * times
    shape = (down * (height + gap) + gap, across * (width + gap) + gap, channels)
    if times > 1 and shape[0] * shape[1] > _PIXELS:
        raise OptionError(
            f"scale = {times}: a sheet of {shape[1]:,} x {shape[0]:,} pixels is too large, at most {_PIXELS:,} in all. "
            f"Choose a smaller scale, or fewer images"
        )
    canvas = np.empty(shape, np.uint8)
    canvas[:] = {1: (round(sum(background) / 3),), 3: background, 4: (*background, 0)}[channels]
    corners = [
        (gap + (index // across) * (height + gap), gap + (index % across) * (width + gap)) for index in range(count)
    ]
    for top, left in itertools.compress(corners, marked or []):
        canvas[top - gap : top + height + gap, left - gap : left + width + gap] = (*_MARK, 255)[:channels]
    for image, (top, left) in zip(pixels, corners, strict=True):
        canvas[top : top + height, left : left + width] = image.repeat(times, axis=0).repeat(times, axis=1)
    drawn = Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)
    if labels is not None:
        letters = _letters(labels, height, width)
        for label, (top, left) in zip(labels, corners, strict=True):
            if label:
                _write(drawn, label, left, top, letters)
    return drawn


def _require_sheet(count: int, channels: int, columns: int | None, labels: Sequence[str] | None) -> None:
    if channels not in _MODES:
        raise OptionError(f"an image has 1, 3 or 4 channels (grey, RGB, RGBA), not {channels}")
    if columns is not None and columns < 1:
        raise OptionError(f"columns = {columns} is not allowed: at least 1")
    if labels is not None and len(labels) != count:
        raise OptionError(f"{count} images but {len(labels)} labels")


def viewing_scale(rows: int, columns: int, size: Sequence[int], *, padding: int = 2) -> int:
    """The whole factor at which a sheet of images of `size`, height x width, can be viewed on a screen: its longer side
    as near as possible to 900 pixels, that of a single row or column to 1800, and no image larger than 256.

    >>> viewing_scale(8, 8, (32, 32)), viewing_scale(8, 8, (64, 64)), viewing_scale(1, 17, (32, 32))
    (3, 2, 3)
    """
    longer = max(rows * (size[0] + padding), columns * (size[1] + padding)) + padding
    wanted = _VIEWED if min(rows, columns) > 1 else 2 * _VIEWED
    return max(1, min(round(wanted / longer), _VIEWED_IMAGE // max(size)))


def draw_scatter(points: Tensor, *, background: Colour = (255, 255, 255), scale: int = 1) -> Image.Image:
    """A scatter plot of points [N, 2] on [-1, 1] x [-1, 1], y upwards, `scale` times 256 pixels a side; points outside
    lie red on its edge.

    Raises NotFiniteError for a NaN or an infinity.
    """
    points = points.detach().float().cpu()
    if not bool(torch.isfinite(points).all()):
        raise NotFiniteError("a point is a NaN or an infinity and cannot be drawn: the generator has diverged")
    side = _PLANE * scale
    large = side * _SHARP
    if large * large > 4 * _PIXELS:
        raise OptionError(f"a plot of {side:,} x {side:,} pixels is too large: choose a smaller scale")
    plot = Image.new("RGB", (large, large), background)
    brush = ImageDraw.Draw(plot)
    radius = 1.5 * scale * _SHARP
    for x, y in points.tolist():
        colour = (31, 78, 160) if max(abs(x), abs(y)) <= 1 else _MARK
        across = (min(max(x, -1.0), 1.0) + 1) / 2 * (large - 1)
        down = (1 - min(max(y, -1.0), 1.0)) / 2 * (large - 1)
        brush.ellipse((across - radius, down - radius, across + radius, down + radius), fill=colour)
    return plot.resize((side, side), Image.Resampling.BOX)


def require_suffix(path: Path) -> None:
    """Raises OptionError for the name of a file that is no image that can be written."""
    if path.suffix.lower() not in _FORMATS:
        raise OptionError(f"cannot write {path.name!r}: an image file ends in {', '.join(_FORMATS)}")


def save_image(
    image: Image.Image, path: str | Path, *, replace: bool = True, text: Mapping[str, str] | None = None
) -> Path:
    """Write an image in the format of its suffix (.png, .jpg, .webp), whole or not at all. Returns the path.

    replace: as for `system.files.atomic`. text: by keyword, which a PNG file keeps (tEXt); no other does. Raises
    OptionError for another suffix, or for more pixels a side than the format holds."""
    path = Path(path)
    require_suffix(path)
    name, most, _ = _FORMATS[path.suffix.lower()]
    if max(image.size) > most:
        raise OptionError(
            f"{path.name!r} would be {image.width:,} x {image.height:,} pixels and {name} holds {most:,} a side: "
            f"write a .png, or fewer images"
        )
    with atomic(path, replace=replace) as file:
        write_image(image, file, path.suffix, text=text)
    return path


def write_image(image: Image.Image, file: IO[bytes], suffix: str, *, text: Mapping[str, str] | None = None) -> None:
    """Write into an open file what `save_image` writes for a name that ends in `suffix`."""
    name, _, options = _FORMATS[suffix.lower()]
    if name == "PNG":
        options = {**options, "pnginfo": text_chunks(text or {})}
    (on_white(image) if name == "JPEG" else image).save(file, name, **options)


def on_white(image: Image.Image) -> Image.Image:
    """RGBA laid on white; another image as it is."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def _font(letters: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(letters)


def _breadth(labels: Sequence[str], letters: int) -> int:
    font = _font(letters)
    return math.ceil(max(font.getbbox(label)[2] for label in labels)) + 3


def _enlargement(labels: Sequence[str], height: int, width: int) -> int:
    """The smallest whole factor at which the smallest letters cover at most the width and half the height."""
    return max(math.ceil(_breadth(labels, _LETTERS) / width), math.ceil(2 * (_LETTERS + 2) / height))


def _letters(labels: Sequence[str], height: int, width: int) -> int:
    """Size of the letters: an eighth of the height, or less so that every label fits."""
    wanted = max(_LETTERS, height // 8)
    return next((size for size in range(wanted, _LETTERS, -1) if _breadth(labels, size) <= width), _LETTERS)


def _write(image: Image.Image, label: str, left: int, top: int, letters: int) -> None:
    """White letters on a black box, in the corner: legible on every image."""
    brush = ImageDraw.Draw(image)
    box = (left, top, left + _breadth([label], letters) - 1, top + letters + 1)
    brush.rectangle(box, fill="black")
    brush.text((left + 2, top + letters // 2 + 1), label, fill="white", font=_font(letters), anchor="lm")
