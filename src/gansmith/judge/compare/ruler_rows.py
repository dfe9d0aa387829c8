"""The ruler with several runs on it: a row for each run and each known damage of the real images."""

from __future__ import annotations

from collections.abc import Mapping

from gansmith.evaluation.audit import axes
from gansmith.evaluation.audit.axes import RIGHT, WIDTH, Axis, point
from gansmith.evaluation.number_format import number
from gansmith.evaluation.ruler import BAD, GOOD
from gansmith.evaluation.types import Number, Ruler

_LEFT, _TOP, _ROW = 190.0, 26.0, 19.0  # units: labels end at _LEFT, rows begin at _TOP
_LETTERS = 28  # of a label


def drawing(rulers: Mapping[str, Ruler]) -> str:
    """The `<svg>` of at least one ruler of the same real images: runs from nearest to farthest, then the damages."""
    first = next(iter(rulers.values()))
    runs = sorted(((name, ruler.samples) for name, ruler in rulers.items()), key=lambda row: row[1].value)
    damages = sorted({**first.layout, **first.texture}.items(), key=lambda row: row[1].value)
    rows: list[tuple[str, Number | None, int]] = [("Samples of", None, 0)]
    rows += [(name, mark, 1) for name, mark in runs]
    rows.append(("Real images", None, 0))
    if first.held_out is not None:
        rows.append(("held out, as they are", first.held_out, 0))
    rows += [(name, mark, 0) for name, mark in damages]
    farthest = max(mark.high or mark.value for _, mark, _ in rows if mark is not None)
    axis = Axis(0.0, 1.04 * max(farthest, BAD), _LEFT, WIDTH - RIGHT)
    bottom = _TOP + _ROW * len(rows)

    def place(value: float) -> float:
        return min(max(axis(value), axis.start), axis.end)

    parts = [
        f'<rect class="zone" x="{axis.start:.1f}" y="{_TOP:g}" width="{place(GOOD) - axis.start:.1f}" '
        f'height="{bottom - _TOP:g}"/>',
        f'<path class="mark" d="M{point(place(BAD), _TOP)}V{bottom:g}"/>',
        axes.text(place(BAD), _TOP - 6, f"bad above {number(BAD, 1)}", anchor="start"),
        f'<path class="axis" d="M{point(axis.start, bottom)}H{axis.end:.1f}"/>',
    ]
    for at, words in axis.ticks(5):
        parts += [
            f'<path class="axis" d="M{point(at, bottom)}v4"/>',
            axes.text(at, bottom + 16, words, anchor="middle"),
        ]
    for index, (name, mark, series) in enumerate(rows):
        middle = _TOP + _ROW * (index + 0.5)
        kind = "strong" if mark is None or series else "ink"
        label = axes.shorten(name.removesuffix(" and shuffled"), _LETTERS)
        parts.append(axes.text(_LEFT - 8, middle + 4, label, anchor="end", kind=kind))
        if mark is not None:
            low, high = (place(mark.value if end is None else end) for end in (mark.low, mark.high))
            parts.append(
                f'<path class="l{series}" style="stroke-dasharray:none" d="M{point(low, middle)}H{high:.1f}"/>'
            )
            parts.append(f'<circle class="f{series}" cx="{place(mark.value):.1f}" cy="{middle:.1f}" r="4"/>')
    told = ", ".join(f"{name} {number(mark.value, 2)}" for name, mark, _ in rows if mark is not None)
    return axes.svg(parts, says=f"Distance from the real images: {told}.", height=bottom + 26)
