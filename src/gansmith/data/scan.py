"""Readability and near-duplicates of images that are not cached: one pass, whose result is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gansmith.data import group_files, similar
from gansmith.data.dataset import Dataset
from gansmith.data.unreadable import reason, unreadable
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.system.progress import bar
from gansmith.system.sealed import read_sealed_json, write_sealed_json

_BLOCK = 256  # images whose signatures are computed at once


class Scanned(NamedTuple):
    """kept: positions of the readable images, ascending;  skipped: name -> reason of the others."""

    kept: list[int]
    skipped: Mapping[str, str]


def scan(dataset: Dataset, names: list[str], folder: Path, *, flips: bool, skip_unreadable: bool) -> Scanned:
    """The readable images of `dataset`; their groups of near-duplicates are stored in `folder`, as is the result.

    Raises DataError when no image can be read, or one cannot and `skip_unreadable` is false.
    """
    scanned = _stored(folder, len(dataset), flips=flips)
    if scanned is None:
        scanned = _scan(dataset, names, folder, flips=flips)
        with suppress(GansmithError):
            write_sealed_json(folder / "seen.json", {"count": len(dataset), **scanned._asdict()})
    if scanned.skipped and not skip_unreadable:
        raise unreadable(scanned.skipped, len(dataset))
    return scanned


def _stored(folder: Path, count: int, *, flips: bool) -> Scanned | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = read_sealed_json(folder / "seen.json")
        kept = [int(index) for index in stored["kept"]]
        skipped = {str(name): str(why) for name, why in dict(stored["skipped"]).items()}
        fits = stored["count"] == count and len(kept) + len(skipped) <= count
        ascending = kept == sorted(set(kept)) and not (kept and (kept[0] < 0 or kept[-1] >= count))
        if fits and ascending and group_files.path_of(folder, flips=flips).exists():
            return Scanned(kept, skipped)
    return None


def _scan(dataset: Dataset, names: list[str], folder: Path, *, flips: bool) -> Scanned:
    parts: list[similar.Signatures] = []
    images: list[np.ndarray] = []
    kept: list[int] = []
    failures: dict[str, str] = {}
    with bar("looking at the images", len(dataset)) as advance:
        for index in range(len(dataset)):
            try:
                images.append(dataset.one(index).image)
                kept.append(index)
            except (UnreadableImageError, OSError) as error:
                failures[names[index]] = reason(error)
            if images and (len(images) == _BLOCK or index == len(dataset) - 1):
                parts.append(similar.signatures_of_images(np.stack(images)))
                images.clear()
            advance()
    if not parts:
        raise unreadable(failures, len(dataset))
    group_files.store_groups(similar.groups(similar.join(parts), flips=flips), folder, flips=flips)
    return Scanned(kept, failures)
