"""The ruler as thumbnails: one real image damaged in each known way, and a sample among them, by their distances.

Two rows, layout and texture, each from the nearest to the farthest; under each its distance. One image 1,200 pixels
wide whose letters can be read at a third of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Images, Ruler

WIDTH, _COLUMNS = 1200, 5
_CELL, _SIDE = WIDTH // _COLUMNS, 176  # pixels of a place, and of the image in it
_HEAD, _TEXT = 52, 84  # pixels of a row's heading, and of the two lines under an image
_INK, _SOFT, _PAPER, _SAMPLES = (29, 36, 48), (75, 83, 96), (255, 255, 255), (11, 79, 138)
_SAMPLE = "the samples"


class _Mark(NamedTuple):
    name: str
    value: float
    image: Image.Image


def thumbnails(ruler: Ruler, real: Images, sample: Images) -> Image.Image:
    """One real image and one sample, uint8 [1, H, W, C] each -> the picture."""
    rows = {"Layout": (ruler.layout, LAYOUT), "Texture": (ruler.texture, TEXTURE)}
    sheets = []
    for heading, (marks, damages) in rows.items():
        images = {name: damages[name](real) for name in marks}
        cells = [
            _Mark(_SAMPLE, ruler.samples.value, _shown(sample)),
            _Mark("undamaged", _held_out(ruler), _shown(real)),
        ]
        cells += [_Mark(_named(name), mark.value, _shown(images[name])) for name, mark in marks.items()]
        sheets.append(_row(heading, sorted(cells, key=lambda cell: (cell.value, cell.name == _SAMPLE))))
    whole = Image.new("RGB", (WIDTH, sum(sheet.height for sheet in sheets)), _PAPER)
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def _row(heading: str, cells: list[_Mark]) -> Image.Image:
    lines = -(-len(cells) // _COLUMNS)
    sheet = Image.new("RGB", (WIDTH, _HEAD + lines * (_SIDE + _TEXT)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((12, 8), f"{heading}, from near to far", font=ImageFont.load_default(34), fill=_INK)
    for place, cell in enumerate(cells):
        left, top = place % _COLUMNS * _CELL, _HEAD + place // _COLUMNS * (_SIDE + _TEXT)
        corner, ours = left + (_CELL - _SIDE) // 2, cell.name == _SAMPLE
        if ours:
            pen.rectangle((corner - 8, top - 2, corner + _SIDE + 7, top + _SIDE + 7), fill=_SAMPLES)
        sheet.paste(cell.image, (corner, top + 4))
        for line, (words, size) in enumerate(((cell.name, 29), (number(round(cell.value, 2) + 0.0, 2), 32))):
            font = ImageFont.load_default(size)
            middle = left + _CELL / 2 - pen.textlength(words, font=font) / 2
            colour = _SAMPLES if ours else _INK if line else _SOFT
            pen.text((middle, top + _SIDE + 8 + 33 * line), words, font=font, fill=colour)
    return sheet


def _shown(image: Images) -> Image.Image:
    """The image, its pixels kept square, as large as its place."""
    drawn = picture(image, columns=1).convert("RGB").crop((1, 1, 1 + image.shape[2], 1 + image.shape[1]))
    whole = max(1, _SIDE // max(drawn.size))
    kept = drawn.resize((drawn.width * whole, drawn.height * whole), Image.Resampling.NEAREST)
    scale = _SIDE / max(kept.size)
    size = max(1, round(kept.width * scale)), max(1, round(kept.height * scale))
    fitted, paper = kept.resize(size, Image.Resampling.LANCZOS), Image.new("RGB", (_SIDE, _SIDE), _PAPER)
    paper.paste(fitted, ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2))
    return paper


def _named(name: str) -> str:
    """A damage in at most 14 letters: `2 x 2 tiles`, `blur of 1`."""
    for words, short in _SHORT.items():
        if name.startswith(words):
            return short + name.removeprefix(words).split(" ")[0]
    return name


_SHORT: Mapping[str, str] = {
    "cut into 2 x 2": "2 x 2 tiles",
    "cut into 4 x 4": "4 x 4 tiles",
    "with random phases": "random phases",
    "after a blur of ": "blur of ",
    "with noise of ": "noise of ",
    "stored as JPEG of quality ": "JPEG ",
    "under a checkerboard of ": "checkerboard ",
}


def _held_out(ruler: Ruler) -> float:
    return 0.0 if ruler.held_out is None else ruler.held_out.value
