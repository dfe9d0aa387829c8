"""The tables of the documentation, made from the lines of the trials."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.judge.conditions import PARTS
from benchmarks.judge.subjects import SOURCES

Line = Mapping[str, Any]
ORDERS = (  # each must be farther from the real images than the one before it
    ("held-out", "after a blur of 1 pixel", "after a blur of 2 pixels"),
    ("held-out", "with noise of 12 levels", "with noise of 25 levels"),
    ("held-out", "stored as JPEG of quality 50", "stored as JPEG of quality 10"),
    ("held-out", "cut into 2 x 2 and shuffled", "cut into 4 x 4 and shuffled", "with random phases"),
)


def markdown(lines: Iterable[Line]) -> str:
    """A table for each part: of each set, how many trials said good, cannot tell and bad; then the ruler's order."""
    newest = list({(line["part"], line["set"], line["condition"], line["split"]): line for line in lines}.values())
    return "\n\n".join([*(_part(part, newest) for part in PARTS), _intervals(newest), _order(newest)])


def _part(part: str, lines: list[Line]) -> str:
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line["part"] == part and line["condition"] in PARTS[part]:
            question = PARTS[part][line["condition"]].question
            counted[line["condition"], line["set"]][line["answers"][question]["verdict"]] += 1
    rows = [
        f"| {part}: good, cannot tell, bad | right | {' | '.join(SOURCES)} |",
        f"|---|---|{'---|' * len(SOURCES)}",
    ]
    for condition, about in PARTS[part].items():
        cells = [_cell(counted[condition, name]) for name in SOURCES]
        rows.append(f"| {condition} | {about.truth} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(counts: Counter[str]) -> str:
    return ", ".join(str(counts[verdict]) for verdict in ("good", "cannot tell", "bad")) if counts else ""


def _intervals(lines: list[Line]) -> str:
    """How often the interval of the share of copies holds the truth."""
    inside = [
        low <= line["share"] <= high
        for line in lines
        if line["part"] == "copies" and isinstance(line["answers"]["memorisation"]["numbers"].get("copies"), list)
        for _, low, high in [line["answers"]["memorisation"]["numbers"]["copies"]]
    ]
    return f"The share of copies lies inside its interval in {sum(inside)} of {len(inside)} trials."


def _order(lines: list[Line]) -> str:
    """In how many splits each family of damages lies on the ruler in its order."""
    rows = [f"| order on the ruler | {' | '.join(SOURCES)} |", f"|---|{'---|' * len(SOURCES)}"]
    rulers: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for line in lines:
        if line.get("ruler"):
            rulers[line["set"]][line["split"]] = line["ruler"]
    for family in ORDERS:
        cells = []
        for name in SOURCES:
            right = [_ascends(ruler, family) for ruler in rulers[name].values()]
            cells.append(f"{sum(right)} of {len(right)}" if right else "")
        rows.append(f"| {' < '.join(family)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _ascends(ruler: Mapping[str, Any], family: tuple[str, ...]) -> bool:
    values = [ruler[name][0] if isinstance(ruler[name], list) else ruler[name] for name in family if name in ruler]
    return values == sorted(values)
