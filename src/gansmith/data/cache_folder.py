"""One folder of the pixel cache, read and built.

    KEY/images.npy   uint8 [N, H, W, C] (float32 [N, 1, 1, 2] for sets of points)
    KEY/labels.npy   int64 [N], if the images have labels
    KEY/meta.json    shape, names, classes, settings, the files left out, the digest of pixels and labels, and its own

A folder appears under its key by a rename when everything in it is written and synced: whatever exists under a key is
complete, unless something else damaged it: every opening reads it and compares the digests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from gansmith.data.dataset import Arrays, Dataset
from gansmith.data.decode_all import decode_all
from gansmith.data.mapped import MappedArrays, MappedFile
from gansmith.data.npy_writer import BLOCK_BYTES, HEADER, NpyWriter, described, digest_of
from gansmith.data.unreadable import unreadable
from gansmith.system.files import sync_folder
from gansmith.system.progress import bar, track
from gansmith.system.sealed import read_sealed_json, write_sealed_json

VERSION = 1
_LARGE = 1 << 30  # bytes: checking so many shows a bar


class Content(NamedTuple):
    """Content of a cache: ImageItems of one shape, a name for each, the names of the classes, and the settings."""

    dataset: Dataset
    names: Sequence[str]
    classes: tuple[str, ...] | None
    settings: Mapping[str, Any]


class Meta(BaseModel):
    """What meta.json says: of the arrays; of their content; of each image by name and place in the stored dataset."""

    model_config = ConfigDict(frozen=True, strict=True)

    version: int
    shape: list[NonNegativeInt]
    dtype: str
    labels: bool
    digest: str
    settings: dict[str, Any]
    classes: list[str] | None
    skipped: dict[str, str]
    keys: list[str]
    kept: list[NonNegativeInt]


def open_folder(folder: Path, warnings: list[str], *, verify: bool = True) -> tuple[Arrays, Meta] | None:
    """(the images, meta.json) of the cache in `folder`; None where there is none, or a damaged one, which is added to
    `warnings`. verify: read everything and compare its digest (0.15 s for 50,000 images of 32 x 32)."""
    if not folder.exists():
        return None
    try:
        meta = Meta(**read_sealed_json(folder / "meta.json"))
        if meta.version != VERSION:
            raise ValueError(f"it is of version {meta.version}, not {VERSION}")
        intact = partial(_intact, folder, meta)
        images = MappedFile(folder / "images.npy", intact)
        labels = _labels(folder, meta)
        if list(images.array.shape) != meta.shape or str(images.array.dtype) != meta.dtype:
            raise ValueError("its files do not fit together")
        if (
            not len(images.array) == len(meta.keys) == len(meta.kept)
            or (np.diff(np.asarray(meta.kept, dtype=np.int64)) < 1).any()
        ):
            raise ValueError("its names do not fit its images")
        if verify and not intact():
            raise ValueError("its digest is wrong: a byte has changed since it was written")
        return MappedArrays(images, labels), meta
    except Exception as error:  # damaged headers raise all sorts; whatever it is, the images can be decoded again
        reason = "meta.json has other fields" if isinstance(error, (TypeError, ValidationError)) else str(error)
        what = "cannot be read" if isinstance(error, PermissionError) else "was damaged"
        warnings.append(f"the pixel cache {folder} {what} ({reason}) and is built anew")
        return None


def _labels(folder: Path, meta: Meta) -> NDArray[np.int64] | None:
    if not meta.labels:
        return None
    labels = np.array(np.load(folder / "labels.npy", mmap_mode="r", allow_pickle=False))  # no more than the file has
    if labels.dtype != np.int64 or labels.ndim != 1:
        raise ValueError("its labels are not int64 [N]")
    return labels


def _intact(folder: Path, meta: Meta) -> bool:
    """Whether pixels and labels of the folder have the digest that was stored when they were written."""
    digest = digest_of(described(tuple(meta.shape), np.dtype(meta.dtype)))
    with (folder / "images.npy").open("rb") as file:  # read, not mapped: a file that becomes shorter is no signal
        size = os.fstat(file.fileno()).st_size
        file.seek(HEADER)
        blocks = iter(partial(file.read, BLOCK_BYTES), b"")
        for block in (
            track(blocks, "checking the pixel cache", -(-size // BLOCK_BYTES), "blocks") if size >= _LARGE else blocks
        ):
            digest.update(block)
    labels = _labels(folder, meta)
    if labels is not None:
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest() == meta.digest


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
    write_sealed_json(place / "meta.json", meta)


def _write_labels(path: Path, labels: NDArray[np.int64], digest: hashlib.blake2b) -> None:
    digest.update(labels.astype("<i8").tobytes())
    with path.open("wb") as file:
        np.save(file, labels, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
