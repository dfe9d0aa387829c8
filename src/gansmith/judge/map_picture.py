"""The map of a run as a still image: what it is by shape, whether it has a neighbour of the other kind by colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gansmith.judge.image_map import ImageMap

SIDE = 900  # pixels of the plane
_SHARP = 3  # drawn this much larger, then reduced: smooth edges
_EDGE, _LETTERS, _LINE = 20, 15, 24  # pixels
_INK = (20, 20, 20)
_BLUE, _ORANGE, _GREEN, _RED = (47, 85, 212), (217, 119, 6), (31, 138, 91), (192, 38, 58)
Colour = tuple[int, int, int]
Brush = Callable[[ImageDraw.ImageDraw, float, float, float, Colour], None]


@dataclass(frozen=True)
class Group:
    """Points of one kind, with a neighbour or without; drawn later ones lie above."""

    kind: str
    neighbour: bool
    words: str
    brush: Brush
    colour: Colour
    size: float  # half of its width, in pixels


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _ring(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=round(r / 2.5))


def _square(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.rectangle((x - r, y - r, x + r, y + r), fill=colour)


def _frame(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.rectangle((x - r, y - r, x + r, y + r), outline=colour, width=round(r / 2.5))


def _diamond(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.polygon(((x - r, y), (x, y - r), (x + r, y), (x, y + r)), fill=colour)


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: Colour) -> None:
    for sign in (1, -1):
        draw.line((x - r, y - sign * r, x + r, y + sign * r), fill=colour, width=round(r / 2.5))


GROUPS = (
    Group("real", True, "real, a sample near", _disc, _GREEN, 3.0),
    Group("held_out", True, "held out, a sample near", _square, _GREEN, 3.0),
    Group("sample", True, "sample, a real near", _diamond, _BLUE, 3.6),
    Group("real", False, "real, missed", _ring, _ORANGE, 4.0),
    Group("held_out", False, "held out, missed", _frame, _ORANGE, 3.6),
    Group("sample", False, "sample, near no real", _cross, _RED, 3.6),
)


def map_picture(made: ImageMap) -> Image.Image:
    """The points of a map in a square, and below it what they are, with precision and recall: RGB, 900 pixels wide.

    Both axes are stretched to the square, as the page does it.
    """
    points = made.points()
    places = _to_square(np.array([(point["x"], point["y"]) for point in points], np.float64))
    plane = Image.new("RGB", (SIDE * _SHARP, SIDE * _SHARP), "white")
    draw = ImageDraw.Draw(plane)
    rows = []
    for group in GROUPS:
        mine = [i for i, p in enumerate(points) if (p["kind"], p["neighbour"]) == (group.kind, group.neighbour)]
        for x, y in places[mine] * _SHARP:
            group.brush(draw, float(x), float(y), group.size * _SHARP, group.colour)
        if mine:
            rows.append((group, f"{group.words} ({len(mine):,})"))
    return _with_words(plane.resize((SIDE, SIDE), Image.Resampling.BOX), rows, made)


def _to_square(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [N, 2] -> pixels [N, 2] in the square, y upwards."""
    low, high = places.min(0), places.max(0)
    shares = (places - low) / np.maximum(high - low, np.finfo(np.float64).tiny)
    shares[:, 1] = 1 - shares[:, 1]
    pixels: NDArray[np.float64] = _EDGE + shares * (SIDE - 2 * _EDGE)
    return pixels


def _with_words(plane: Image.Image, rows: list[tuple[Group, str]], made: ImageMap) -> Image.Image:
    font = ImageFont.load_default(_LETTERS)
    lines = -(-len(rows) // 3)
    whole = Image.new("RGB", (SIDE, SIDE + (lines + 1) * _LINE + _EDGE), "white")
    whole.paste(plane)
    draw = ImageDraw.Draw(whole)
    for number, (group, words) in enumerate(rows):
        x, y = _EDGE + number % 3 * (SIDE // 3), SIDE + number // 3 * _LINE + _LINE / 2
        group.brush(draw, x, y, 1.6 * group.size, group.colour)
        draw.text((x + 14, y), words, fill=_INK, font=font, anchor="lm")
    said = f"precision {made.plane.precision:.2f}, recall {made.plane.recall:.2f}, by {made.features}"
    draw.text((_EDGE - 6, SIDE + lines * _LINE + _LINE / 2), said, fill=_INK, font=font, anchor="lm")
    return whole
