"""The chosen images at the resolved size: from the pixel cache, or decoded each time they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import PIL

from gansmith.data import cache
from gansmith.data.dataset import Dataset, Indices
from gansmith.data.scan import scan
from gansmith.data.selection import Selection
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.values import Chosen, Images, Opened
from gansmith.data.unreadable import left_out
from gansmith.errors import UnreadableImageError
from gansmith.system.progress import track


def read(opened: Opened, chosen: Chosen, settings: DataSettings, *, workers: int | None = None) -> tuple[Images, ...]:
    """The images of each domain. `workers` processes decode; None: as many as help.

    Raises DataError for images that cannot be read, unless `settings.skip_unreadable`.
    """
    return tuple(
        read_source(source, positions, settings, workers=workers)
        for source, positions in zip(opened.sources, chosen.positions, strict=True)
    )


def read_source(source: Source, positions: Indices, settings: DataSettings, *, workers: int | None = None) -> Images:
    """The images at `positions` of one source."""
    names = [source.keys[index] for index in positions.tolist()]
    options: dict[str, object] = {
        "size": settings.load_size or settings.size,
        "channels": settings.channels,
        "fit": settings.fit,
        "background": settings.background,
        "points": source.points,
        "classes": source.classes,
        "pillow": None if source.points else PIL.__version__.partition(".")[0],
    }
    key = cache.key_of(_stamps(source, positions), options)
    labels = None if source.labels is None else source.labels[positions]
    if source.points:
        everything = np.arange(len(positions), dtype=np.int64)
        return Images(Selection(source, positions), tuple(names), everything, labels, key, cache.uncached(key), ())
    dataset = Selection(_resized(source, settings), positions)
    if not settings.cache:
        return _as_they_come(dataset, names, labels, key, settings)
    cached = cache.store(
        dataset,
        key=key,
        names=names,
        classes=source.classes,
        settings=options,
        workers=workers,
        skip_unreadable=settings.skip_unreadable,
    )
    return Images(
        cached.data, cached.keys, cached.kept, cached.data.labels, cached.digest, cached.folder, cached.warnings
    )


def _as_they_come(
    dataset: Dataset, names: list[str], labels: Indices | None, key: str, settings: DataSettings
) -> Images:
    """Images that are not cached; read once beforehand where unreadable ones or near-duplicates must be known."""
    folder = cache.uncached(key)
    kept = np.arange(len(dataset), dtype=np.int64)
    if not (settings.skip_unreadable or (settings.holdout and settings.holdout_by == "similar")):
        return Images(dataset, tuple(names), kept, labels, key, folder, ())
    scanned = scan(dataset, names, folder, flips=settings.flip, skip_unreadable=settings.skip_unreadable)
    kept = np.asarray(scanned.kept, dtype=np.int64)
    return Images(
        Selection(dataset, kept),
        tuple(names[index] for index in scanned.kept),
        kept,
        None if labels is None else labels[kept],
        _digest(f"{key} {scanned.kept if scanned.skipped else ''}"),
        folder,
        (left_out(scanned.skipped),) if scanned.skipped else (),
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _resized(source: Source, settings: DataSettings) -> Dataset:
    resized: Dataset = source.resize(
        size=settings.load_size or settings.size,
        channels=settings.channels,
        fit=settings.fit,
        background=settings.background,
    )
    return resized


def _stamps(source: Source, positions: Indices) -> Iterator[bytes]:
    """Content, name and class of each image, as bytes that change when one of them does."""
    for index in track(positions.tolist(), "reading", len(positions), "files"):
        try:
            stamp = source.stamp(index)
        except UnreadableImageError:
            stamp = b"unreadable"
        label = "" if source.labels is None else str(int(source.labels[index]))
        yield stamp + f"\0{source.keys[index]}\0{label}".encode("utf-8", "surrogateescape")
