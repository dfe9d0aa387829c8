"""The ruler as a plot: each known damage on a row of its own, and the samples as a band across all rows."""

from __future__ import annotations

from collections.abc import Mapping

from gansmith.evaluation.audit import axes
from gansmith.evaluation.audit.axes import RIGHT, WIDTH, Axis, point
from gansmith.evaluation.number_format import number
from gansmith.evaluation.ruler import BAD, GOOD
from gansmith.evaluation.types import Number, Ruler

_LEFT, _TOP, _ROW = 190.0, 34.0, 19.0  # units: labels end at _LEFT, rows begin at _TOP


def drawing(ruler: Ruler) -> str:
    """The `<svg>` of a ruler, from held-out images (0) to the farthest of its marks."""
    rows: list[tuple[str, Number | None]] = [("held-out images", ruler.held_out), ("Layout: real images", None)]
    rows += _sorted(ruler.layout)
    rows += [("Texture: real images", None), *_sorted(ruler.texture)]
    ends = [ruler.samples, *ruler.layout.values(), *ruler.texture.values()]
    axis = Axis(0.0, 1.04 * max(mark.high or mark.value for mark in ends), _LEFT, WIDTH - RIGHT)
    bottom = _TOP + _ROW * len(rows)

    def place(value: float) -> float:
        return min(max(axis(value), axis.start), axis.end)

    value, low, high = ruler.samples.value, ruler.samples.low, ruler.samples.high
    left, right = (place(value if end is None else end) for end in (low, high))
    anchor, nudge = ("end", -5) if place(value) > (axis.start + axis.end) / 2 else ("start", 5)
    parts = [
        f'<rect class="zone" x="{axis.start:.1f}" y="{_TOP:g}" width="{place(GOOD) - axis.start:.1f}" '
        f'height="{bottom - _TOP:g}"/>',
        f'<rect class="f1" fill-opacity="0.3" x="{left:.1f}" y="{_TOP - 6:g}" width="{max(right - left, 1):.1f}" '
        f'height="{bottom - _TOP + 6:g}"/>',
        f'<path class="l1" style="stroke-dasharray:none" d="M{point(place(value), _TOP - 14)}V{bottom:g}"/>',
        axes.text(place(value) + nudge, _TOP - 10, f"the samples: {number(value, 2)}", anchor=anchor, kind="strong"),
        f'<path class="axis" d="M{point(axis.start, bottom)}H{axis.end:.1f}"/>',
    ]
    for at, words in axis.ticks(5):
        parts.append(f'<path class="axis" d="M{point(at, bottom)}v4"/>')
        parts.append(axes.text(at, bottom + 16, words, anchor="middle"))
    for index, (name, mark) in enumerate(rows):
        middle = _TOP + _ROW * (index + 0.5)
        heading = mark is None and index > 0
        parts.append(axes.text(_LEFT - 8, middle + 4, _short(name), anchor="end", kind="strong" if heading else "ink"))
        if mark is not None:
            ends_of = [place(mark.value if end is None else end) for end in (mark.low, mark.high)]
            parts.append(f'<path class="l0" d="M{point(ends_of[0], middle)}H{ends_of[1]:.1f}"/>')
            parts.append(f'<circle class="f0" cx="{place(mark.value):.1f}" cy="{middle:.1f}" r="4"/>')
    damages = {**ruler.layout, **ruler.texture}
    named = [f"{name} {number(damage.value, 2)}" for name, damage in damages.items()]
    says = f"Distance from the real images. The samples: {number(value, 2)}. Real images {', '.join(named)}."
    says += f" Good is below {number(GOOD, 1)}, bad above {number(BAD, 1)}."
    return axes.svg(parts, says=says, height=bottom + 26)


def _sorted(row: Mapping[str, Number]) -> list[tuple[str, Number | None]]:
    ordered = sorted(row.items(), key=lambda item: item[1].value)
    return [*ordered]


def _short(name: str) -> str:
    """`cut into 4 x 4`, `blur of 1 pixel`: a damage as briefly as can be."""
    for begin in ("after a ", "with ", "stored as ", "under a "):
        name = name.removeprefix(begin)
    return name.removesuffix(" and shuffled").replace(" of quality", "")
