"""A check of every image before training: sizes, classes, unreadable files, duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansmith.data import check_notes, holdout, similar
from gansmith.data.check_images import Inspected, inspect_images
from gansmith.data.check_report import Report
from gansmith.data.encoded import Encoded
from gansmith.data.ignored_files import counted
from gansmith.data.open import open_source
from gansmith.data.recommend import recommended_channels, recommended_size
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.unreadable import some_unreadable
from gansmith.errors import GansmithError


def check(settings: DataSettings) -> Report:
    """Decode every image once and report. Raises only for a set that cannot be opened at all."""
    source = open_source(settings)
    report = Report(name=source.name, points=source.points)
    if source.labels is not None:
        names = _names(source)
        amounts = np.bincount(source.labels, minlength=len(names))
        report.classes = {name: int(amount) for name, amount in zip(names, amounts, strict=True)}
    if source.points:
        report.count = len(source)
        share = holdout.share_held_out(settings.holdout, len(source), points=True)
        report.holdout = len(holdout.split(len(source), share, np.arange(len(source)), holdout.SEED)[1])
        return report
    if isinstance(source, Encoded):
        report.ignored = counted(source.ignored)
    seen = inspect_images(source, settings.background)
    report.count, report.unreadable = len(seen.keys), seen.unreadable
    if seen.unreadable and not settings.skip_unreadable:
        report.failure = some_unreadable(len(seen.unreadable), len(source))
    if seen.signatures is None:
        report.warnings += check_notes.notes_of_source(source)
        report.failure = report.failure or f"there are no images in {settings.path} that can be read"
        return report
    _describe(seen, source, settings, report)
    exact = np.unique(np.frombuffer(b"".join(seen.contents), dtype="V16"), return_inverse=True)[1]
    report.exact_duplicates = _groups(exact, seen.keys)
    report.radius = similar.recommended_radius(seen.signatures)
    near = similar.groups(seen.signatures, radius=report.radius)
    report.near_duplicates = [group for group in _groups(near, seen.keys) if group not in report.exact_duplicates]
    _split(settings, report, seen=seen, near=near, source=source)
    if report.classes is not None and source.labels is not None:
        names = _names(source)
        of = {source.keys[index]: names[source.labels[index]] for index in seen.positions}
        report.warnings += check_notes.notes_of_classes(report.classes, report.exact_duplicates, of)
    return report


def _describe(seen: Inspected, source: Source, settings: DataSettings, report: Report) -> None:
    """Sizes, modes and what becomes of them in training."""
    heights, widths = (np.array(side) for side in zip(*seen.sizes, strict=True))
    report.heights, report.widths = _three(heights), _three(widths)
    report.distinct_sizes = len(set(seen.sizes))
    report.modes = dict(seen.modes.most_common())
    report.transparent, report.animated, report.other_kinds = len(seen.transparent), seen.animated, seen.kinds
    report.recommended_size = settings.size or source.size or recommended_size(seen.sizes)
    report.recommended_channels = settings.channels or recommended_channels(seen.grey)
    resolved = {"size": report.recommended_size, "channels": report.recommended_channels}
    report.warnings += check_notes.notes(source, seen, settings.model_copy(update=resolved))
    if bool((widths == 2 * heights).all()):
        report.warnings.append(
            "every image is twice as wide as high: if each is a pair side by side, the recipe pix2pix cuts it in two"
        )


def _names(source: Source) -> tuple[str, ...]:
    assert source.labels is not None
    return source.classes or tuple(str(label) for label in range(int(source.labels.max(initial=-1)) + 1))


def _split(settings: DataSettings, report: Report, *, seen: Inspected, near: NDArray[np.int64], source: Source) -> None:
    """The number of images that training would hold out, or why it would stop."""
    labels = None
    if source.labels is not None and settings.holdout_by == "class":
        labels = source.labels[seen.positions]
    try:
        groups = holdout.groups_by(settings.holdout_by, keys=seen.keys, labels=labels, similar=lambda: near)
        share = holdout.share_held_out(settings.holdout, len(seen.keys))
        train, held_out = holdout.split(len(seen.keys), share, groups, holdout.SEED)
        if not len(train):
            raise holdout.nothing_left(len(seen.keys), groups)
        report.holdout = len(held_out)
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
