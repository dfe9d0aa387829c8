"""The report of a check of one set of images, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from gansmith.data.check_images import MODES
from gansmith.data.ignored_files import listed
from gansmith.data.unreadable import folded
from gansmith.system.text import printable, printable_lines

_LISTED = 8  # lines of a list in the text; JSON has all
_NAMES = 6  # names in a line


@dataclass
class Report:
    """What `gansmith data check` prints. `failure`: why training would stop, or None."""

    name: str
    count: int = 0
    points: bool = False
    heights: tuple[int, int, int] | None = None  # smallest, median, largest
    widths: tuple[int, int, int] | None = None
    distinct_sizes: int = 0
    modes: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] | None = None
    transparent: int = 0
    animated: list[str] = field(default_factory=list)
    other_kinds: dict[str, str] = field(default_factory=dict)  # than the name says
    ignored: dict[str, int] = field(default_factory=dict)  # suffix -> number of files that are not read
    unreadable: dict[str, str] = field(default_factory=dict)
    exact_duplicates: list[list[str]] = field(default_factory=list)
    near_duplicates: list[list[str]] = field(default_factory=list)
    radius: float | None = None
    recommended_size: tuple[int, int] | None = None
    recommended_channels: int | None = None
    holdout: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)

    def as_text(self) -> str:
        """Some thirty lines."""
        rows = [("name", self.name), ("points" if self.points else "images", f"{self.count:,}")]
        if self.heights and self.widths:
            several = f"   ({self.distinct_sizes:,} different)" if self.distinct_sizes > 1 else "   (all the same)"
            rows += [
                ("smallest", f"height {self.heights[0]}, width {self.widths[0]}"),
                ("median", f"height {self.heights[1]}, width {self.widths[1]}{several}"),
                ("largest", f"height {self.heights[2]}, width {self.widths[2]}"),
            ]
        if self.modes:
            rows.append(("modes", ", ".join(f"{mode} {count:,}" for mode, count in self.modes.items())))
        rows.append(("classes", "none" if self.classes is None else f"{len(self.classes):,}"))
        rows += [("", f"{name}  {count:,}") for name, count in list((self.classes or {}).items())[:20]]
        if self.classes and len(self.classes) > 20:
            rows.append(("", f"and {len(self.classes) - 20:,} more"))
        if not self.points:
            rows.append(("unreadable", f"{len(self.unreadable):,}" if self.unreadable else "none"))
            rows += _shortened(folded(self.unreadable))
            rows += [("ignored", listed(self.ignored))] if self.ignored else []
            for title, groups in (("identical", self.exact_duplicates), ("look-alikes", self.near_duplicates)):
                rows.append((title, _summary(groups)))
                rows += _shortened([_names(group) for group in groups])
        if self.recommended_size:
            height, width = self.recommended_size
            rows.append(("train at", f"{height}x{width}, {MODES[self.recommended_channels or 3]}"))
        rows.append(("hold-out", f"{self.holdout:,} of {self.count:,} kept from training, look-alikes on one side"))
        rows += [("note", warning) for warning in self.warnings]
        lines = [f"{title:12}{printable(text)}" for title, text in rows]
        verdict = f"training would stop: {printable_lines(self.failure)}" if self.failure else "ready to train on"
        return "\n".join([*lines, f"{'verdict':12}{verdict}"])


def _summary(groups: list[list[str]]) -> str:
    images = sum(len(group) for group in groups)
    return f"{images:,} images in {len(groups):,} groups" if groups else "none"


def _names(group: list[str]) -> str:
    more = f" and {len(group) - _NAMES:,} more" if len(group) > _NAMES else ""
    return f"{len(group):,}: " + ", ".join(group[:_NAMES]) + more


def _shortened(lines: list[str]) -> list[tuple[str, str]]:
    first = [("", line) for line in lines[:_LISTED]]
    return [*first, ("", f"and {len(lines) - _LISTED:,} more")] if len(lines) > _LISTED else first
