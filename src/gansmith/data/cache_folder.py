"""One folder of the pixel cache, read and built.

    KEY/images.npy   uint8 [N, H, W, C] (float32 [N, 1, 1, 2] for sets of points)
    KEY/labels.npy   int64 [N], if the images have labels
    KEY/meta.json    shape, names, classes, settings, the files left out, and the digest of pixels and labels

A folder appears under its key by a rename when everything in it is written and synced: whatever exists under a key is
complete, unless something else damaged it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gansmith.data.dataset import Arrays, Dataset
from gansmith.data.decode_all import decode_all
from gansmith.data.npy_writer import NpyWriter
from gansmith.data.unreadable import unreadable
from gansmith.errors import DataError
from gansmith.system.files import sync_folder, write_json
from gansmith.system.progress import bar

VERSION = 1


class Content(NamedTuple):
    """Content of a cache: ImageItems of one shape, a name for each, the names of the classes, and the settings."""

    dataset: Dataset
    names: Sequence[str]
    classes: tuple[str, ...] | None
    settings: Mapping[str, Any]


def open_folder(folder: Path, warnings: list[str]) -> tuple[Arrays, dict[str, Any]] | None:
    """(the images, meta.json) of the cache in `folder`; None where there is none, or a damaged one, which is added to
    `warnings`."""
    if not folder.exists():
        return None
    try:
        meta = json.loads((folder / "meta.json").read_text())
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if meta["labels"] else None
        if meta["version"] != VERSION or list(images.shape) != meta["shape"] or str(images.dtype) != meta["dtype"]:
            raise ValueError("its files do not fit together")
        if not len(images) == len(meta["keys"]) == len(meta["kept"]):
            raise ValueError("its names do not fit its images")
        data = Arrays(np.asarray(images), labels)  # a plain array over the map: numpy's memmap class is slower to index
        for field in ("classes", "digest", "skipped"):
            meta[field]
    except (OSError, ValueError, KeyError, TypeError, EOFError, DataError) as error:
        warnings.append(f"the pixel cache {folder} was damaged ({error}) and is built anew")
        return None
    return data, meta


def build_folder(folder: Path, content: Content, *, workers: int | None, skip_unreadable: bool) -> None:
    """Decode everything into `folder`, under its lock.

    Raises DataError naming unreadable images, unless `skip_unreadable` and some are left; OSError of the disk.
    """
    _remove_stale(folder)
    place = folder.with_name(f"{folder.name}.building.{os.getpid()}")
    try:
        place.mkdir()
        _write(place, content, workers=workers, skip_unreadable=skip_unreadable)
        if folder.exists():  # damaged
            shutil.rmtree(folder)
        place.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_stale(folder: Path) -> None:
    """Stale build directories of crashed processes: all of this key, whose lock is held here, and of other keys those
    whose lock is free."""
    for stale in folder.parent.glob(f"{folder.name}.building*"):
        shutil.rmtree(stale, ignore_errors=True)
    for stale in folder.parent.glob("*.building.*"):
        with suppress(Timeout), FileLock(folder.with_name(f"{stale.name.partition('.')[0]}.lock"), timeout=0):
            shutil.rmtree(stale, ignore_errors=True)


def _write(place: Path, content: Content, *, workers: int | None, skip_unreadable: bool) -> None:
    dataset, names, classes, settings = content
    with NpyWriter(place / "images.npy", len(dataset)) as writer:
        with bar("decoding", len(dataset)) as advance:
            labels, failures = decode_all(dataset, writer, workers=workers, advance=advance)
        skipped = {names[index]: reason for index, reason in sorted(failures.items())}
        if failures and (not skip_unreadable or len(failures) == len(dataset)):
            raise unreadable(skipped, len(dataset))
        kept = np.setdiff1d(np.arange(len(dataset)), np.fromiter(failures, dtype=np.int64, count=len(failures)))
        writer.compact(kept)
        digest = writer.finish()
    if labels is not None:
        _write_labels(place / "labels.npy", labels[kept], digest)
    meta = {
        "version": VERSION,
        "shape": [len(kept), *writer.shape],
        "dtype": str(writer.dtype),
        "labels": labels is not None,
        "digest": digest.hexdigest(),
        "settings": dict(settings),
        "classes": None if classes is None else list(classes),
        "skipped": skipped,
        "keys": [names[index] for index in kept],
        "kept": kept.tolist(),
    }
    write_json(place / "meta.json", meta)


def _write_labels(path: Path, labels: NDArray[np.int64], digest: hashlib.blake2b) -> None:
    digest.update(labels.astype("<i8").tobytes())
    with path.open("wb") as file:
        np.save(file, labels, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
