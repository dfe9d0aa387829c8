"""Axes, ticks, legend and marks of a plot, in colours that paper, screens and colour-blind readers can tell apart.

Series differ in lightness and in dashes as well as in hue (after Okabe & Ito, 2002, "Color Universal Design"), so
that they can be told apart on a grey print. Text is escaped; an `<svg>` of this file needs nothing outside itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from gansmith.errors import OptionError
from gansmith.evaluation.number_format import number

WIDTH, HEIGHT = 480.0, 270.0  # units of the drawing; letters are 12 high
LEFT, RIGHT, TOP, BOTTOM = 62.0, 12.0, 10.0, 44.0
SERIES = 6  # more cannot be told apart
_LETTER = 6.2  # the mean width of a letter
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 4")
_STYLE = """
.plot{display:block;width:100%;max-width:620px;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;--ink:#1d2430;--soft:#5b6472;--rule:#d9dde3;--paper:#fff;--zone:#bfe3cf;
--s0:#0b4f8a;--s1:#d97706;--s2:#8e3a80;--s3:#4d7c0f;--s4:#475569;--s5:#c2410c}
@media screen and (prefers-color-scheme:dark){.plot{--ink:#e8eaee;--soft:#a3acba;--rule:#3a424e;--paper:#171b21;
--zone:#1f5138;--s0:#74b6f2;--s1:#ffb54a;--s2:#e79ad8;--s3:#a9d65c;--s4:#cbd5e1;--s5:#ff8a65}}
.plot text{fill:var(--soft)}.plot .ink{fill:var(--ink)}.plot .strong{fill:var(--ink);font-weight:600}
.plot .rule{stroke:var(--rule);stroke-width:1;fill:none}.plot .axis{stroke:var(--soft);stroke-width:1;fill:none}
.plot .mark{stroke:var(--ink);stroke-width:1.3;stroke-dasharray:3 3;fill:none}.plot .zone{fill:var(--zone)}
.plot .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
""" + "".join(
    f".plot .l{i}{{stroke:var(--s{i});stroke-width:2;fill:none;stroke-linejoin:round"
    + (f";stroke-dasharray:{dash}" if dash else "")
    + f"}}.plot .f{i}{{fill:var(--s{i})}}\n"
    for i, dash in enumerate(_DASHES)
)


def point(x: float, y: float) -> str:
    """Coordinates in a path."""
    return f"{x:.1f} {y:.1f}"


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "", turn: float = 0) -> str:
    """A `<text>` at (x, y), escaped."""
    place = f' transform="rotate({turn:g} {point(x, y)})"' if turn else ""
    kinds = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kinds}{place}>{escape(words)}</text>'


def shorten(words: str, letters: int) -> str:
    """At most `letters` letters, the last an ellipsis when some were cut."""
    return words if len(words) <= letters else words[: max(1, letters - 1)].rstrip() + "\u2026"


def width(words: str) -> float:
    """About how wide the words are drawn."""
    return _LETTER * len(words)


def svg(parts: Iterable[str], *, says: str, height: float = HEIGHT) -> str:
    """The whole drawing; `says` is read aloud to those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(says)}"><style>{_STYLE}</style>{"".join(parts)}</svg>'
    )


def stacked(drawings: Sequence[str], *, says: str) -> str:
    """Drawings of `svg` one below the other in one file, on paper of their own."""
    parts, top = [], 0.0
    for drawing in drawings:
        opening, _, inner = drawing.partition("</style>")
        parts.append(f'<g transform="translate(0 {top:g})">{inner.removesuffix("</svg>")}</g>')
        top += float(opening.partition('viewBox="0 0 ')[2].partition('"')[0].split()[1])
    paper = f'<rect width="{WIDTH:g}" height="{top:g}" fill="var(--paper)"/>'
    return svg([paper, *parts], says=says, height=top)


def nothing(why: str) -> str:
    """A drawing that says that there is nothing to draw."""
    return svg([text(WIDTH / 2, 34, why, anchor="middle", kind="ink")], says=why, height=60)


def few_enough(names: Sequence[str], most: int) -> None:
    """Raises OptionError for no series, or for more than `most`."""
    if not 1 <= len(names) <= most:
        raise OptionError(f"a plot shows 1 to {most} series, not {len(names)}: {', '.join(names) or 'none'}")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from low to high, roughly `about` of them."""
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [
        k * step if step >= 1 else round(k * step, 12 - math.floor(math.log10(step))) for k in range(first, last + 1)
    ]


def powers(low: float, high: float) -> list[float]:
    """Powers of ten from low to high; with 2 and 5 times them where there are fewer than three."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [10.0**k for k in exponents if low <= 10.0**k * 1.0001 and 10.0**k <= high * 1.0001]
    if len(values) < 3:
        values = [f * 10.0**k for k in exponents for f in (1, 2, 5) if low <= f * 10.0**k <= high]
    return values[:: max(1, math.ceil(len(values) / 7))]


def label(value: float, beside: Sequence[float]) -> str:
    """A tick's number, with the places that its neighbours need."""
    gaps = [abs(b - a) for a, b in pairwise(beside) if b != a]
    places = max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 0
    return number(value, min(places, 12)) if gaps else number(value)


def _short(value: float) -> str:
    """A power of ten, or 2 or 5 times it, without zeros behind."""
    return number(value, max(0, -math.floor(math.log10(value) + 1e-9))) if 1e-4 <= value < 1e6 else number(value)


@dataclass(frozen=True)
class Axis:
    """A scale from values to positions: `low` is drawn at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, position = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (position - low) / (high - low) * (self.end - self.start)

    def ticks(self, about: int) -> list[tuple[float, str]]:
        """(place, label) of each tick."""
        values = powers(self.low, self.high) if self.log else ticks(self.low, self.high, about)
        return [(self(value), _short(value) if self.log else label(value, values)) for value in values]


def span(values: Sequence[float], *, log: bool = False, zero: bool = False, margin: float = 0.0) -> tuple[float, float]:
    """The least and the largest with a margin, never equal; from zero on when `zero`."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if log:
        return (low / 2, high * 2) if low == high else (low / (high / low) ** margin, high * (high / low) ** margin)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) / 2 or 0.5
        return (low - half, high + half)
    wide = (high - low) * margin
    return (low if zero and low == 0 else low - wide, high if zero and high == 0 else high + wide)


@dataclass
class Canvas:
    """A frame with two axes; everything else is drawn on it.

    top: where the frame begins, below the legend and the labels of marks
    """

    x: Axis
    y: Axis
    parts: list[str] = field(default_factory=list)

    @property
    def top(self) -> float:
        """The upper end of the frame."""
        return self.y.end

    def frame(self, *, x: str, y: str, x_ticks: bool = True) -> None:
        """Axes, ticks, thin lines to read heights by, and what the axes mean."""
        bottom = self.y.start
        for place, words in self.y.ticks(5):
            self.parts.append(f'<path class="rule" d="M{point(LEFT, place)}H{WIDTH - RIGHT:g}"/>')
            self.parts.append(text(LEFT - 6, place + 4, words, anchor="end"))
        zero = self.y(0) if not self.y.log and self.y.low < 0 < self.y.high else bottom
        self.parts.append(f'<path class="axis" d="M{point(LEFT, zero)}H{WIDTH - RIGHT:g}"/>')
        for place, words in self.x.ticks(6) if x_ticks else ():
            self.parts.append(f'<path class="axis" d="M{point(place, bottom)}v4"/>')
            inside = min(place, WIDTH - 2 - width(words) / 2)
            self.parts.append(text(inside, bottom + 17, words, anchor="middle"))
        self.parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, shorten(x, 66), anchor="middle", kind="ink"))
        centre = (self.top + bottom) / 2
        self.parts.append(text(11, centre, shorten(y, 34), anchor="middle", kind="ink", turn=-90))

    def marks(self, marks: Mapping[str, float]) -> None:
        """Dashed vertical lines, each with its label above the frame on a row of its own."""
        for row, (name, value) in enumerate(marks.items()):
            place, height = self.x(value), self.top - 8 - 15 * (len(marks) - 1 - row)
            anchor, nudge = ("end", -4) if place > (LEFT + WIDTH) / 2 else ("start", 4)
            self.parts.append(f'<path class="mark" d="M{point(place, height - 9)}V{self.y.start:.1f}"/>')
            self.parts.append(text(place + nudge, height, shorten(name, 38), anchor=anchor, kind="ink halo"))


def legend(names: Sequence[str], sample: Callable[[int, float, float], str]) -> tuple[list[str], float]:
    """(parts, height) of the legend: `sample(series, x, y)` draws 24 x 12 units of a series beside its name."""
    parts, x, y = [], LEFT, TOP + 4
    for i, name in enumerate(names):
        words = shorten(name, 52)
        if x > LEFT and x + 32 + width(words) > WIDTH:
            x, y = LEFT, y + 18
        parts += [sample(i, x, y), text(x + 30, y + 4, words, kind="ink")]
        x += 30 + width(words) + 18
    return parts, y + 18
