"""The table of a file of cells: candidates beside each other, for each set, count, size and time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.trained import table

Line = Mapping[str, Any]
_WHERE = ("set", "count", "size", "seconds", "precision")


def tables(lines: Sequence[Line]) -> str:
    """Markdown: one table for each set, count, size and time; the median of the seeds, and the span of all."""
    parts = []
    for where in dict.fromkeys(tuple(line[name] for name in _WHERE) for line in lines):
        mine = [line for line in lines if tuple(line[name] for name in _WHERE) == where]
        rows = [_row([line for line in mine if line["candidate"] == each]) for each in _candidates(mine)]
        ordered = [cells for _, cells in sorted(rows, key=lambda row: row[0])]
        name, count, size, seconds, precision = where
        head = f"### {name}, {count:,} images, {size} px, {seconds / 60:g} minutes of one core, {precision}"
        header = ["", "ruler", "n", "images drawn", "layout", "thing / held-out"]
        parts += [head, "", table(header, ordered), ""]
    return "\n".join(parts)


def _candidates(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line["candidate"] for line in lines))


def _row(lines: Sequence[Line]) -> tuple[float, list[str]]:
    """(to sort by, cells) of one candidate's seeds. A run that diverged counts as infinitely far."""
    places = sorted(float("inf") if line["ruler"] is None else line["ruler"] for line in lines)
    middle = median(places)
    span = f" ({places[0]:.2f} to {places[-1]:.2f})" if len(places) > 1 else ""
    drawn = f"{median(line['images'] for line in lines) / 1000:,.0f}k"
    layout, thing = _middle(lines, "layout"), _middle(lines, "thing")
    held_out = _middle(lines, "thing_held_out")
    beside = f"{thing:.2f} / {held_out:.2f}" if thing is not None else ""
    seen = "" if layout is None else f"{layout:.2f}"
    return middle, [f"`{_short(lines[0]['candidate'])}`", f"{middle:.2f}{span}", str(len(lines)), drawn, seen, beside]


def _middle(lines: Sequence[Line], name: str) -> float | None:
    values = [line[name] for line in lines if line.get(name) is not None]
    return median(values) if values else None


def _short(candidate: str) -> str:
    """The words of a candidate, without those that say where a setting belongs; equal rates once."""
    short = re.sub(r"optimizer\.generator\.(\w+)=(.+?) optimizer\.discriminator\.\1=\2(?= |$)", r"\1=\2", candidate)
    return short.replace("optimizer.", "").replace("averaging.", "")
