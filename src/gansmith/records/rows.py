"""A sheet of titled rows: images in groups with a heading each, and a few words below each image.

Images may be of several sizes; each is enlarged by a whole factor to the size of the largest, or brought to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gansmith.errors import OptionError

WIDTH, CELL = 1200, 128  # pixels that a sheet is wide at most, and an image unless it is larger
_GAP, _GROUP = 6, 22  # pixels between images, and between groups
_LETTERS, _LINE = 13, 18  # of titles, and of a line of them
_SMALL, _SMALL_LINE = 11, 14  # of captions
_PIXELS = 2**26  # of a sheet
_INK, _FAINT = (20, 20, 20), (100, 100, 100)


@dataclass(frozen=True)
class Cell:
    """An image uint8 [H, W, C], grey, RGB or RGBA (laid on white), and what is written below it."""

    image: NDArray[np.uint8]
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """A title, and groups of images."""

    title: str
    groups: Sequence[Sequence[Cell]]


def draw_rows(rows: Sequence[Row], *, headings: Sequence[str] = (), scale: int | None = None) -> Image.Image:
    """A sheet of rows, whose groups stand below each other, with `headings` above them.

    scale: pixels a side for each pixel of the largest image; None: as large as the sheet's width allows, at most CELL.
    Raises OptionError for no image, or for more pixels than a sheet may have.

    >>> draw_rows([Row("seed 3", [[Cell(np.zeros((8, 8, 1), np.uint8), "0.1")]])], scale=2).size
    (60, 58)
    """
    cells = [cell for row in rows for group in row.groups for cell in group]
    if not cells:
        raise OptionError("a sheet needs at least one image")
    counts = [max((len(row.groups[place]) for row in rows if place < len(row.groups)), default=0) for place in
              range(max(len(row.groups) for row in rows))]  # fmt: skip
    across = sum(counts)
    size = tuple(max(cell.image.shape[axis] for cell in cells) for axis in (0, 1))
    times = scale or max(1, min(WIDTH // (across * (size[1] + 2)), CELL // max(size)))
    height, width = size[0] * times, size[1] * times
    written = any(cell.caption for cell in cells)
    below = _SMALL_LINE if written else 0
    lefts = _lefts(counts, width)
    titles = [_LINE if row.title else 0 for row in rows]
    top = _LINE + _GAP if headings else _GAP
    total = (
        max(lefts[-1][-1] + width + _GAP, _breadth([*headings, *(row.title for row in rows)], lefts, headings)),
        top + sum(title + height + below + _GAP for title in titles),
    )
    if total[0] * total[1] > _PIXELS:
        raise OptionError(
            f"a sheet of {total[0]:,} x {total[1]:,} pixels is too large, at most {_PIXELS:,} in all: ask for fewer "
            f"images, or a smaller scale"
        )
    sheet = Image.new("RGB", total, "white")
    brush = ImageDraw.Draw(sheet)
    for place, heading in enumerate(headings):
        brush.text((lefts[place][0], _LINE // 2 + 2), heading, fill=_INK, font=_font(_LETTERS), anchor="lm")
    for row, title in zip(rows, titles, strict=True):
        brush.text((_GAP, top + _LINE // 2), row.title, fill=_INK, font=_font(_LETTERS), anchor="lm")
        top += title
        for group, places in zip(row.groups, lefts, strict=False):
            for cell, left in zip(group, places, strict=False):
                sheet.paste(_enlarged(cell.image, height, width), (left, top))
                words = _cut(cell.caption, width + _GAP)
                brush.text((left, top + height + below // 2), words, fill=_FAINT, font=_font(_SMALL), anchor="lm")
        top += height + below + _GAP
    return sheet


def _lefts(counts: Sequence[int], width: int) -> list[list[int]]:
    """Where each image of each group begins."""
    lefts, left = [], _GAP
    for count in counts:
        lefts.append([left + place * (width + _GAP) for place in range(max(1, count))])
        left = lefts[-1][-1] + width + _GROUP
    return lefts


def _breadth(texts: Sequence[str], lefts: Sequence[Sequence[int]], headings: Sequence[str]) -> int:
    """Pixels that titles and headings need, from the left edge on."""
    starts = [lefts[place][0] for place in range(len(headings))] + [_GAP] * (len(texts) - len(headings))
    return max(start + int(_font(_LETTERS).getlength(text)) + _GAP for start, text in zip(starts, texts, strict=True))


def _enlarged(image: NDArray[np.uint8], height: int, width: int) -> Image.Image:
    """By a whole factor where that fits; else by nearest neighbours, or averaged where it is larger."""
    plain = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    if plain.mode == "RGBA":
        plain = Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain)
    smaller = plain.width > width or plain.height > height
    way = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    return plain.convert("RGB").resize((width, height), way)


def _cut(text: str, width: int) -> str:
    """The text, or as much of it as fits."""
    while text and _font(_SMALL).getlength(text) > width:
        text = text[:-1]
    return text


def _font(letters: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(letters)
