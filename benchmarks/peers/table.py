"""The table of docs/peers.md: the peers beside each other, for each set, count, size and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers.registry import OURS, PEERS
from benchmarks.trained import table

Line = Mapping[str, Any]
_WHERE = ("set", "count", "size", "seconds")
_HEADER = ("", "numbers", "ruler", "n", "images drawn", "ms a sample", "layout", "thing / held-out", "weights")


def markdown(lines: Sequence[Line]) -> str:
    """One table for each set, count, size and time, the nearest to the real images first."""
    parts = [_about(lines)] if lines else ["Nothing is measured yet."]
    for where in sorted({tuple(line[name] for name in _WHERE) for line in lines}):
        mine = [line for line in lines if tuple(line[name] for name in _WHERE) == where]
        kinds = dict.fromkeys((line["candidate"], line["precision"]) for line in mine)
        rows = [_row([line for line in mine if (line["candidate"], line["precision"]) == kind]) for kind in kinds]
        name, count, size, seconds = where
        head = f"### {name}, {count:,} images, {size} px, {seconds / 60:g} minutes of one core"
        parts += ["", head, "", table(_HEADER, [cells for _, cells in sorted(rows, key=lambda row: row[0])])]
    return "\n".join(parts)


def _about(lines: Sequence[Line]) -> str:
    """What was installed (two versions of torch: gansmith's and the peers'), and the network that judges."""
    packages: dict[str, set[str]] = {}
    for name, version in (each for line in lines for each in line.get("versions", {}).items()):
        packages.setdefault(name, set()).add(version)
    said = ", ".join(f"{name} {' and '.join(sorted(each))}" for name, each in sorted(packages.items()))
    features = ", ".join(sorted({line["features"] for line in lines if "features" in line}))
    return f"Packages: {said}. The judge: {features}."


def _row(lines: Sequence[Line]) -> tuple[float, list[str]]:
    """(to sort by, cells) of one peer's seeds. A training that diverged or failed is infinitely far."""
    places = sorted(float("inf") if line.get("ruler") is None else line["ruler"] for line in lines)
    middle = median(places)
    span = f" ({places[0]:.2f} to {places[-1]:.2f})" if len(places) > 1 else ""
    first = lines[0]
    title = "**gansmith**" if first["candidate"] == OURS else PEERS[first["candidate"]].title
    drawn = f"{median(line['images'] for line in lines) / 1000:,.1f}k"
    weights = f"{sum(first.get('parameters', {}).values()) / 1e6:.1f}M"
    layout, thing, held_out, cost = (
        _middle(lines, name) for name in ("layout", "thing", "thing_held_out", "sampling_ms")
    )
    return middle, [
        title,
        first["precision"],
        f"{middle:.2f}{span}",
        str(len(lines)),
        drawn,
        "" if cost is None else f"{cost:,.1f}",
        "" if layout is None else f"{layout:.2f}",
        "" if thing is None else f"{thing:.2f} / {held_out:.2f}",
        weights,
    ]


def _middle(lines: Sequence[Line], name: str) -> float | None:
    values = [line[name] for line in lines if line.get(name) is not None]
    return median(values) if values else None
