"""The cross-play matrix as an image: a row for each discriminator, a column for each generator, own pairs grey."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFont

from gansmith.evaluation.cross_play import CrossPlay
from gansmith.evaluation.types import Number

Colour = tuple[int, int, int]

_CELL = (118, 52)  # across, down
_MARGIN = 14
_TEXT, _SMALL = 17, 12
_PALE, _BLUE, _ORANGE = (248, 248, 248), (33, 102, 172), (196, 98, 16)  # cannot tell; always tells
_GREY, _INK, _FAINT = (226, 226, 226), (25, 25, 25), (140, 140, 140)


def matrix_picture(play: CrossPlay) -> Image.Image:
    """The matrix, best generator first. A cell is the deeper, the more surely the discriminator tells samples from real
    images: blue where it scores real images higher, orange where it scores samples higher."""
    order = [play.names.index(one.name) for one in play.standings]
    names = [play.names[i] for i in order]
    left = _MARGIN + 12 + math.ceil(max(_breadth(f"D of {name}", _TEXT) for name in names))
    across = max(_CELL[0], 16 + math.ceil(max(_breadth(f"G of {name}", _TEXT) for name in names)))
    count, top = len(names), 99
    captions = [
        "Accuracy: of pairs of a held-out real image and a sample, the share in which the discriminator",
        "scores the real one higher. 0.5: it cannot tell them apart. Blue: real images score higher.",
        "Orange: samples score higher. Grey: its own generator, which does not count.",
    ]
    width = max(left + across * count, _MARGIN + math.ceil(max(_breadth(line, _SMALL) for line in captions))) + _MARGIN
    image = Image.new("RGB", (width, top + _CELL[1] * (count + 1) + _MARGIN), (255, 255, 255))
    brush = ImageDraw.Draw(image)
    brush.text((_MARGIN, 12), "Who can tell whose samples from real images?", fill=_INK, font=_font(_TEXT + 3))
    for line, text in enumerate(captions):
        brush.text((_MARGIN, 42 + 17 * line), text, fill=_FAINT, font=_font(_SMALL))
    columns = [(name, index) for index, name in enumerate(names)]
    for name, column in columns:
        _centred(brush, f"G of {name}", (left + across * column, top + 8), across)
        brush.text((_MARGIN, top + 55 + _CELL[1] * column), f"D of {name}", fill=_INK, font=_font(_TEXT))
    for row, discriminator in enumerate(order):
        for column, generator in enumerate(order):
            corner = (left + across * column, top + 40 + _CELL[1] * row)
            _cell(
                brush, play.accuracy[discriminator][generator], corner, across, own=play.own(discriminator, generator)
            )
    return image


def _cell(brush: ImageDraw.ImageDraw, number: Number, corner: tuple[int, int], across: int, *, own: bool) -> None:
    x, y = corner
    sure = min(1.0, 2 * abs(number.value - 0.5))
    ground = _GREY if own else _mixed(sure, _BLUE if number.value >= 0.5 else _ORANGE)
    ink = _FAINT if own else (255, 255, 255) if sure > 0.6 else _INK
    brush.rectangle((x + 1, y + 1, x + across - 2, y + _CELL[1] - 2), fill=ground)
    low, high = (number.value if end is None else end for end in (number.low, number.high))
    _centred(brush, f"{number.value:.3f}", (x, y + 7), across, ink=ink)
    _centred(brush, f"{low:.3f} to {high:.3f}", (x, y + 30), across, letters=_SMALL, ink=ink)


def _mixed(share: float, deep: Colour) -> Colour:
    first, second, third = (round(a + share * (b - a)) for a, b in zip(_PALE, deep, strict=True))
    return first, second, third


def _centred(
    brush: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    across: int,
    *,
    letters: int = _TEXT,
    ink: Colour = _INK,
) -> None:
    x, y = corner
    brush.text((x + (across - _breadth(text, letters)) / 2, y), text, fill=ink, font=_font(letters))


def _font(letters: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(letters)


def _breadth(text: str, letters: int) -> float:
    return float(_font(letters).getlength(text))
