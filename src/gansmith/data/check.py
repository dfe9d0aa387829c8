"""A check of every image before training: sizes, classes, unreadable files, duplicates."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from gansmith.data import holdout, similar
from gansmith.data.check_report import MODES, Report
from gansmith.data.decode import conform
from gansmith.data.open import open_dataset
from gansmith.data.recommend import is_grey, recommended_channels, recommended_size
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.result import FEW
from gansmith.data.unreadable import reason, unreadable
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.system.progress import bar


def check(settings: DataSettings) -> Report:
    """Decode every image once and report. Raises only for a set that cannot be opened at all."""
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
    keys, signatures, exact = _inspect_images(source, settings, report)
    report.count = len(keys)
    if report.unreadable and not settings.skip_unreadable:
        report.failure = str(unreadable(report.unreadable, len(source)))
    if signatures is None:
        report.failure = report.failure or f"there are no images in {settings.path} that can be read"
        return report
    report.recommended_size = source.size or report.recommended_size
    report.exact_duplicates = _groups(exact, keys)
    report.radius = similar.recommended_radius(signatures)
    near = similar.groups(signatures, radius=report.radius)
    report.near_duplicates = [group for group in _groups(near, keys) if group not in report.exact_duplicates]
    _split(settings, report, keys=keys, near=near, source=source)
    if len(keys) < FEW:
        report.warnings.append(f"fewer than {FEW} images: a network memorises so few")
    return report


def _inspect_images(
    source: Source, settings: DataSettings, report: Report
) -> tuple[list[str], similar.Signatures | None, NDArray[np.int64]]:
    """One pass, which fills in sizes, modes and unreadable images; returns the names of the readable ones, their
    signatures (None without any), and the groups of equal pixels, int64 [N]."""
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
                parts.append(similar.signatures_of_images(np.stack(small)))
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


def _split(settings: DataSettings, report: Report, *, keys: list[str], near: NDArray[np.int64], source: Source) -> None:
    """The number of images that training would hold out, or why it would stop."""
    labels = None
    if source.labels is not None and settings.holdout_by == "class":
        readable = [index for index, key in enumerate(source.keys) if key not in report.unreadable]
        labels = source.labels[readable]
    try:
        groups = holdout.groups_by(settings.holdout_by, keys=keys, labels=labels, similar=lambda: near)
        train, held_out = holdout.split(len(keys), settings.holdout, groups, holdout.SEED)
        if not len(train):
            raise holdout.nothing_left(len(keys), groups)
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
