"""Plots for the report, as self-contained `<svg>` elements: histograms, bars, lines, and a scale to place a number on.

No plotting library: a plot of ours is a few kilobytes, follows the reader's light or dark screen, prints, and can be
read aloud. Values that are not finite (or not positive on a logarithmic axis) are left out, and the plot says so;
where nothing is left, the plot says that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import OptionError
from gansmith.evaluation.audit import axes
from gansmith.evaluation.audit.axes import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, Axis, Canvas, point, span
from gansmith.evaluation.number_format import interval, number
from gansmith.evaluation.types import Number

_FILLS = (0.55, 0.28, 0.12, 0.4, 0.2, 0.08)  # how full the area of a series is: they differ on a grey print too
_SHAPES = (
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "M-3-3h6v6h-6z",
    "M0-4 4 3H-4z",
    "M0-4 4 0 0 4-4 0z",
    "M-3-3 3 3M3-3-3 3",
)
_MARKED = 30  # a line of at most so many points shows each


def histogram(groups: Mapping[str, Sequence[float]], *, x: str, marks: Mapping[str, float] | None = None) -> str:
    """The shares of 1 to 3 groups of numbers in common bins, overlaid; vertical marks with labels.

    Raises OptionError for no group, or more than three.
    """
    names, marks = list(groups), _finite(marks or {})
    axes.few_enough(names, 3)
    values = {name: np.asarray(group, dtype=np.float64).ravel() for name, group in groups.items()}
    drawn = {name: group[np.isfinite(group)] for name, group in values.items()}
    left_out = sum(len(group) for group in values.values()) - sum(len(group) for group in drawn.values())
    everything = np.concatenate(list(drawn.values()))
    if not len(everything):
        return axes.nothing(f"{x}: no values to draw")
    edges = _edges(everything, min(len(group) for group in drawn.values() if len(group)))
    shares = {name: 100 * np.histogram(group, edges)[0] / max(1, len(group)) for name, group in drawn.items()}
    counted = [f"{name} ({number(len(drawn[name]))})" for name in names]
    key, top = axes.legend(counted, _area_sample)
    low, high = span([float(edges[0]), float(edges[-1]), *marks.values()])
    canvas = Canvas(
        Axis(low, high, LEFT, WIDTH - RIGHT),
        Axis(0, max(float(share.max()) for share in shares.values()) * 1.05, HEIGHT - BOTTOM, top + 15 * len(marks)),
    )
    canvas.frame(x=_noted(x, left_out), y="share of each group (%)")
    for i, share in enumerate(shares.values()):
        canvas.parts += _steps(canvas, edges, share, i)
    canvas.marks(marks)
    means = "; ".join(f"{name}: median {number(float(np.median(s)))}" for name, s in drawn.items() if len(s))
    return axes.svg([*key, *canvas.parts], says=f"Histogram of {x}. {means}. {_marks_in_words(marks)}")


def bars(
    groups: Mapping[str, Mapping[str, float]],
    *,
    y: str,
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> str:
    """{series: {category: value}} as bars side by side, with whiskers where {series: {category: (low, high)}} has them.

    Categories keep their order; one that a series lacks has no bar there. Raises OptionError for no series, or more
    than six.
    """
    names, whiskers = list(groups), intervals or {}
    axes.few_enough(names, axes.SERIES)
    categories = list(dict.fromkeys(category for group in groups.values() for category in group))
    values = {(s, c): float(v) for s, group in groups.items() for c, v in group.items() if math.isfinite(v)}
    ranges = {(s, c): w for s, group in whiskers.items() for c, w in group.items() if all(map(math.isfinite, w))}
    if not values:
        return axes.nothing(f"{y}: no values to draw")
    key, top = axes.legend(names, _area_sample)
    low, high = span([*values.values(), *(end for pair in ranges.values() for end in pair)], zero=True, margin=0.05)
    room = (WIDTH - RIGHT - LEFT) / len(categories)
    turned = max(map(axes.width, categories)) > room - 4
    every = max(1, math.ceil((16 if turned else 0) / room))
    bottom = HEIGHT - (60 if turned else 28)
    canvas = Canvas(Axis(0, len(categories), LEFT, WIDTH - RIGHT), Axis(low, high, bottom, top))
    canvas.frame(x="", y=y, x_ticks=False)
    wide = room * 0.8 / len(names)
    for (series, category), value in values.items():
        i = names.index(series)
        left = canvas.x(categories.index(category) + 0.1) + i * wide
        canvas.parts.append(_bar(canvas, left, wide, value, i))
        if (series, category) in ranges:
            canvas.parts.append(_whisker(canvas, left + wide / 2, ranges[series, category]))
    for i, category in enumerate(categories[::every]):
        place, words = canvas.x(i * every + 0.5), axes.shorten(category, 12 if turned else 40)
        turn, anchor = (-38, "end") if turned else (0, "middle")
        canvas.parts.append(axes.text(place + 3 * turned, bottom + 15, words, anchor=anchor, turn=turn, kind="ink"))
    says = "; ".join(
        f"{s}: " + ", ".join(f"{c} {number(values[s, c])}" for c in categories if (s, c) in values) for s in names
    )
    return axes.svg([*key, *canvas.parts], says=f"Bars of {y}. {says}")


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    y: str,
    bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
    marks: Mapping[str, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """{name: [(x, y)]} as lines; bands {name: [(x, low, high)]} of the same names; marks are vertical, with labels.

    Raises OptionError for no series, for more than six, or for a band that belongs to none.
    """
    names, marks = list(series), _finite(marks or {}, positive=log_x)
    axes.few_enough(names, axes.SERIES)
    for name in bands or {}:
        if name not in series:
            raise OptionError(f"a band of {name!r} belongs to no line; there are: {', '.join(names)}")
    drawn = {name: _drawable(path, log_x, log_y) for name, path in series.items()}
    around = {name: _drawable(path, log_x, log_y) for name, path in (bands or {}).items()}
    left_out = sum(map(len, series.values())) - sum(map(len, drawn.values()))
    everything = [row for rows in (*drawn.values(), *around.values()) for row in rows]
    if not everything:
        return axes.nothing(f"{y}: no values to draw")
    key, top = axes.legend(names, lambda i, left, mid: _line_sample(i, left, mid, _dotted(drawn[names[i]])))
    canvas = Canvas(
        Axis(*span([*(row[0] for row in everything), *marks.values()], log=log_x), LEFT, WIDTH - RIGHT, log_x),
        Axis(
            *span([value for row in everything for value in row[1:]], log=log_y, margin=0.06),
            HEIGHT - BOTTOM,
            top + 15 * len(marks),
            log_y,
        ),
    )
    canvas.frame(x=_noted(x, left_out), y=y)
    for i, name in enumerate(names):
        canvas.parts += _band(canvas, around.get(name, []), i)
    for i, name in enumerate(names):
        canvas.parts += _line(canvas, drawn[name], i)
    canvas.marks(marks)
    ends = "; ".join(f"{n}: from {number(p[0][1])} to {number(p[-1][1])}" for n, p in drawn.items() if p)
    return axes.svg([*key, *canvas.parts], says=f"{y} over {x}. {ends}. {_marks_in_words(marks)}")


def scale(
    value: float,
    low: float | None,
    high: float | None,
    *,
    good: tuple[float, float],
    ends: tuple[float, float],
    label: str,
) -> str:
    """A number and its interval on a scale between `ends`, (bad, as good as real), drawn from left to right.

    For a number of which less is better, `ends` falls: (100, 0). good: the stretch that counts as good, in either
    order. What lies beyond an end is drawn at it with an arrow. Raises OptionError when the ends are equal or not
    finite.
    """
    if not all(map(math.isfinite, (*ends, *good))) or ends[0] == ends[1]:
        raise OptionError(f"a scale needs two different, finite ends and a finite good stretch, not {ends} and {good}")
    if not math.isfinite(value):
        return axes.nothing(f"{label}: not known")
    axis = Axis(ends[0], ends[1], 30, WIDTH - 30)
    centre = 52.0  # units from the top

    def place(at: float) -> float:
        return min(max(axis(at), axis.start), axis.end)

    zone = sorted(map(place, good))
    position = place(value)
    between = sorted(place(end) for end in (low, high) if end is not None and math.isfinite(end)) or [position]
    words = f"{label}: {interval(Number(value, low, high))}"
    parts = [
        axes.text(WIDTH / 2, 18, axes.shorten(words, 74), anchor="middle", kind="strong"),
        f'<path class="rule" style="stroke-width:12" d="M{point(axis.start, centre)}H{axis.end:g}"/>',
        f'<rect class="zone" x="{zone[0]:.1f}" y="{centre - 6:g}" width="{zone[1] - zone[0]:.1f}" height="12"/>',
        f'<rect class="axis" x="{zone[0]:.1f}" y="{centre - 6:g}" width="{zone[1] - zone[0]:.1f}" height="12"/>',
        axes.text((zone[0] + zone[1]) / 2, centre - 11, "good", anchor="middle"),
        f'<path class="l0" style="stroke-width:3" d="M{point(between[0], centre - 5)}v10m0-5'
        f'H{between[-1]:.1f}m0-5v10"/>',
        f'<path class="f0" d="M{point(position, centre - 8)}l7 8-7 8-7-8z"/>',
    ]
    beyond = axis(value) - position
    if beyond:
        tip = position + math.copysign(20, beyond)
        parts.append(f'<path class="f0" d="M{point(tip, centre)}l{-math.copysign(8, beyond):g}-5v10z"/>')
    for at, anchor, meaning in zip(ends, ("start", "end"), ("bad", "as good as real"), strict=True):
        x = axis.start if anchor == "start" else axis.end
        parts.append(axes.text(x, centre + 24, f"{number(at)} \u00b7 {meaning}", anchor=anchor))
    where = f"good from {number(min(good))} to {number(max(good))}, bad at {number(ends[0])}"
    return axes.svg(parts, says=f"{words}; {where}, as good as real at {number(ends[1])}", height=84)


def _finite(marks: Mapping[str, float], positive: bool = False) -> dict[str, float]:
    return {name: at for name, at in marks.items() if math.isfinite(at) and (at > 0 or not positive)}


def _drawable(path: Sequence[tuple[float, ...]], log_x: bool, log_y: bool) -> list[tuple[float, ...]]:
    """The points that can be drawn on the axes, from left to right."""
    rows = (tuple(map(float, row)) for row in path)
    return sorted(
        row
        for row in rows
        if all(map(math.isfinite, row)) and (row[0] > 0 or not log_x) and (min(row[1:]) > 0 or not log_y)
    )


def _edges(values: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    """Edges of bins: one for each whole number if there are no others, else 2 n^(1/3) of one width (Rice's rule)."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 40 and bool((values == values.round()).all()):
        return np.arange(low - 0.5, high + 1.0)
    count = min(40, max(8, math.ceil(2 * least ** (1 / 3)))) if high > low else 9  # odd: one value lies in the middle
    return np.linspace(*span([low, high]), count + 1)


def _noted(x: str, left_out: int) -> str:
    return f"{x} ({number(left_out)} not drawn: no number, or none for this axis)" if left_out else x


def _marks_in_words(marks: Mapping[str, float]) -> str:
    return f"Marked: {', '.join(f'{name} at {number(at)}' for name, at in marks.items())}." if marks else ""


def _steps(canvas: Canvas, edges: NDArray[np.float64], share: NDArray[np.float64], i: int) -> list[str]:
    path = f"M{point(canvas.x(edges[0]), canvas.y(0))}"
    for right, height in zip(edges[1:], share, strict=True):
        path += f"V{canvas.y(float(height)):.1f}H{canvas.x(float(right)):.1f}"
    path += f"V{canvas.y(0):.1f}"
    return [f'<path class="f{i}" fill-opacity="{_FILLS[i] / 2:g}" d="{path}z"/>', f'<path class="l{i}" d="{path}"/>']


def _bar(canvas: Canvas, left: float, wide: float, value: float, i: int) -> str:
    top, bottom = sorted((canvas.y(value), canvas.y(0)))
    where = f'x="{left:.1f}" y="{top:.1f}" width="{wide * 0.9:.1f}" height="{bottom - top:.1f}"'
    area = f'<rect class="f{i}" fill-opacity="{_FILLS[i]:g}" {where}/>'
    return f'{area}<rect class="l{i}" style="stroke-width:1.2" {where}/>'


def _whisker(canvas: Canvas, x: float, ends: tuple[float, float]) -> str:
    low, high = (canvas.y(end) for end in ends)
    return f'<path class="axis" style="stroke:var(--ink)" d="M{point(x - 3, high)}h6m-3 0V{low:.1f}m-3 0h6"/>'


def _band(canvas: Canvas, rows: Sequence[tuple[float, ...]], i: int) -> list[str]:
    if not rows:
        return []
    over = [point(canvas.x(row[0]), canvas.y(row[2])) for row in rows]
    under = [point(canvas.x(row[0]), canvas.y(row[1])) for row in reversed(rows)]
    return [f'<path class="f{i}" fill-opacity="0.18" d="M{"L".join(over + under)}z"/>']


def _line(canvas: Canvas, path: Sequence[tuple[float, ...]], i: int) -> list[str]:
    if not path:
        return []
    points = [(canvas.x(x), canvas.y(y)) for x, y in path]
    parts = [f'<path class="l{i}" d="M{"L".join(point(*place) for place in points)}"/>']
    if _dotted(path):
        parts += [_dot(i, *place) for place in points]
    return parts


def _dot(i: int, x: float, y: float) -> str:
    kind = f'class="f{i}"' if i % len(_SHAPES) < 4 else f'class="l{i}" style="stroke-dasharray:none"'
    return f'<path {kind} transform="translate({point(x, y)})" d="{_SHAPES[i % len(_SHAPES)]}"/>'


def _dotted(path: Sequence[tuple[float, ...]]) -> bool:
    return len(path) <= _MARKED


def _line_sample(i: int, x: float, y: float, dotted: bool) -> str:
    return f'<path class="l{i}" d="M{point(x, y)}h24"/>{_dot(i, x + 12, y) if dotted else ""}'


def _area_sample(i: int, x: float, y: float) -> str:
    where = f'x="{x:g}" y="{y - 6:g}" width="24" height="12"'
    return f'<rect class="f{i}" fill-opacity="{_FILLS[i]:g}" {where}/><rect class="l{i}" {where}/>'
