"""A look at every image before training: what there is, what is broken, what is there twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data import holdout, similar
from gansmith.data.decode import conform
from gansmith.data.open import open_dataset
from gansmith.data.recommend import is_grey, recommended_channels, recommended_size
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.result import FEW
from gansmith.data.unreadable import reason, unreadable
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.system.progress import bar

MODES = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}
_SHOWN = 8  # lines of a list that the text shows; JSON has all
_NAMES = 6  # names in a line


@dataclass
class Report:
    """What `gansmith data check` prints. `failure` says why training would stop, or is None."""

    name: str
    count: int = 0
    points: bool = False
    heights: tuple[int, int, int] | None = None  # smallest, median, largest
    widths: tuple[int, int, int] | None = None
    distinct_sizes: int = 0
    modes: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] | None = None
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
            rows += _shortened(list(self.unreadable.values()))
            for title, groups in (("identical", self.exact_duplicates), ("look-alikes", self.near_duplicates)):
                rows.append((title, _summary(groups)))
                rows += _shortened([_names(group) for group in groups])
        if self.recommended_size:
            height, width = self.recommended_size
            rows.append(("train at", f"{height}x{width}, {MODES[self.recommended_channels or 3]}"))
        rows.append(("hold-out", f"{self.holdout:,} kept from training, look-alikes on one side"))
        rows += [("note", warning) for warning in self.warnings]
        rows.append(("verdict", f"training would stop: {self.failure}" if self.failure else "ready to train on"))
        return "\n".join(f"{title:12}{text}" for title, text in rows)


def check(settings: DataSettings) -> Report:
    """Decode every picture once and report. Raises only for a set that cannot be opened at all."""
    source = open_dataset(settings.path, format=settings.format, **settings.options)
    report = Report(name=source.name, points=source.points)
    if source.labels is not None:
        names = source.classes or tuple(str(label) for label in range(int(source.labels.max(initial=-1)) + 1))
        amounts = np.bincount(source.labels, minlength=len(names))
        report.classes = {name: int(amount) for name, amount in zip(names, amounts, strict=True)}
    if source.points:
        report.count = len(source)
        report.holdout = len(holdout.split(len(source), settings.holdout, np.arange(len(source)), holdout.SEED)[1])
        return report
    keys, found, exact = _look(source, settings, report)
    report.count = len(keys)
    if report.unreadable and not settings.skip_unreadable:
        report.failure = str(unreadable(report.unreadable, len(source)))
    if found is None:
        report.failure = report.failure or f"there are no images in {settings.path} that can be read"
        return report
    report.recommended_size = source.size or report.recommended_size
    report.exact_duplicates = _groups(exact, keys)
    report.radius = similar.recommended_radius(found)
    near = similar.groups(found, radius=report.radius)
    report.near_duplicates = [group for group in _groups(near, keys) if group not in report.exact_duplicates]
    _hold_out(settings, report, keys=keys, labels=None, near=near, source=source)
    if len(keys) < FEW:
        report.warnings.append(f"fewer than {FEW} images: a network remembers so few by heart")
    return report


def _look(
    source: Source, settings: DataSettings, report: Report
) -> tuple[list[str], similar.Signatures | None, NDArray[np.int64]]:
    """One pass: fills in sizes, modes and what is unreadable; returns the names of the readable, how they look, and
    the groups of equal pixels."""
    keys: list[str] = []
    sizes: list[tuple[int, int]] = []
    modes: Counter[str] = Counter()
    grey: list[bool] = []
    contents: list[bytes] = []
    parts: list[similar.Signatures] = []
    small: list[NDArray[np.uint8]] = []
    with bar("checking", len(source)) as advance:
        for index in range(len(source)):
            try:
                image = source.one(index).image
            except (UnreadableImageError, OSError) as error:
                report.unreadable[source.keys[index]] = reason(error)
            else:
                keys.append(source.keys[index])
                sizes.append((image.shape[0], image.shape[1]))
                modes[MODES[image.shape[2]]] += 1
                grey.append(is_grey(image, settings.background))
                contents.append(hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest())
                small.append(conform(image, size=(64, 64), channels=3, fit="stretch", background=settings.background))
            if small and (len(small) == 256 or index == len(source) - 1):
                parts.append(similar.signatures(np.stack(small)))
                small.clear()
            advance()
    if not keys:
        return keys, None, np.zeros(0, dtype=np.int64)
    heights, widths = (np.array(side) for side in zip(*sizes, strict=True))
    report.heights, report.widths = _three(heights), _three(widths)
    report.distinct_sizes = len(set(sizes))
    if bool((widths == 2 * heights).all()):
        report.warnings.append(
            "every image is twice as wide as high: if each is a pair side by side, the recipe pix2pix cuts it in two"
        )
    report.modes = dict(modes.most_common())
    report.recommended_size = recommended_size(sizes)
    report.recommended_channels = recommended_channels(grey)
    exact = np.unique(np.frombuffer(b"".join(contents), dtype="V16"), return_inverse=True)[1]
    return keys, similar.join(parts), exact


def _hold_out(
    settings: DataSettings,
    report: Report,
    *,
    keys: list[str],
    labels: NDArray[np.int64] | None,
    near: NDArray[np.int64],
    source: Source,
) -> None:
    if source.labels is not None and settings.holdout_by == "class":
        readable = [index for index, key in enumerate(source.keys) if key not in report.unreadable]
        labels = source.labels[readable]
    try:
        groups = holdout.groups_by(settings.holdout_by, keys=keys, labels=labels, similar=lambda: near)
        kept, held = holdout.split(len(keys), settings.holdout, groups, holdout.SEED)
        if not len(kept):
            raise holdout.nothing_left(len(keys), groups)
        report.holdout = len(held)
    except GansmithError as error:
        report.failure = report.failure or str(error)


def _groups(numbers: NDArray[np.int64], keys: list[str]) -> list[list[str]]:
    """The groups of two and more, the largest first."""
    members: dict[int, list[str]] = {}
    for number, key in zip(numbers.tolist(), keys, strict=True):
        members.setdefault(number, []).append(key)
    return sorted((group for group in members.values() if len(group) > 1), key=lambda group: (-len(group), group[0]))


def _three(sides: NDArray[np.int64]) -> tuple[int, int, int]:
    return int(sides.min()), int(np.median(sides)), int(sides.max())


def _summary(groups: list[list[str]]) -> str:
    images = sum(len(group) for group in groups)
    return f"{images:,} images in {len(groups):,} groups" if groups else "none"


def _names(group: list[str]) -> str:
    more = f" and {len(group) - _NAMES:,} more" if len(group) > _NAMES else ""
    return f"{len(group):,}: " + ", ".join(group[:_NAMES]) + more


def _shortened(lines: list[str]) -> list[tuple[str, str]]:
    shown = [("", line) for line in lines[:_SHOWN]]
    return [*shown, ("", f"and {len(lines) - _SHOWN:,} more")] if len(lines) > _SHOWN else shown
