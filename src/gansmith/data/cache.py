"""The pixel cache: every picture decoded and resized once, in one uint8 file that is indexed a whole batch at a time.

One folder per key, KEY = digest of what the pictures are made from and of how (`key_of`):

    KEY/images.npy   uint8 [N, H, W, C] (float32 [N, 1, 1, 2] for sets of points)
    KEY/labels.npy   int64 [N], if the pictures have classes
    KEY/meta.json    shape, names, classes, settings, the files left out, and the digest of pixels and labels

A folder appears under its key by a rename when everything in it is written and synced, and a lock lets one process
build while others wait for it: whatever is there under a key is whole, unless something else damaged it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gansmith.data.dataset import Arrays, Dataset
from gansmith.data.npy_writer import Blocks, decode_all
from gansmith.errors import DataError, GansmithError, UnreadableImageError
from gansmith.system.files import sync_folder, write_json
from gansmith.system.progress import bar

VERSION = 1
_NAMED = 5  # unreadable files named in an error; the others are counted


@dataclass(frozen=True)
class Cached:
    """What `store` found or made.

    data      the pictures, over the memory-mapped file
    keys      their names;  kept: their positions in the dataset that was stored (int64 [N])
    digest    of pixels and labels: two caches with equal digests hold equal data
    skipped   name -> reason of what could not be read
    folder    where it lies;  built: whether this call built it;  warnings: what the user should hear
    """

    data: Arrays
    keys: tuple[str, ...]
    kept: NDArray[np.int64]
    classes: tuple[str, ...] | None
    digest: str
    skipped: Mapping[str, str]
    folder: Path
    built: bool
    warnings: tuple[str, ...]


def root() -> Path:
    """The folder of all caches: $GANSMITH_CACHE, or gansmith/ under $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("GANSMITH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gansmith"


def key_of(stamps: Iterable[bytes], settings: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that change when the content of a picture, their order or a setting changes."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps({"version": VERSION, **settings}, sort_keys=True).encode())
    for stamp in stamps:
        digest.update(len(stamp).to_bytes(4, "little"))
        digest.update(stamp)
    return digest.hexdigest()


def store(
    dataset: Dataset,
    *,
    key: str,
    names: Sequence[str],
    classes: tuple[str, ...] | None = None,
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    skip_unreadable: bool = False,
) -> Cached:
    """The cache of `key`, built from `dataset` (Pictures of one shape) if it is not there yet.

    `workers` processes decode; None: one per core, none where there are few pictures. Memory use does not grow with
    the number of pictures. Raises DataError naming unreadable pictures (left out and listed with `skip_unreadable`),
    or GansmithError when the folder cannot be written; then nothing is left behind.
    """
    if len(names) != len(dataset):
        raise DataError(f"{len(dataset)} pictures but {len(names)} names")
    folder = root() / key
    warnings: list[str] = []
    built = False
    found = _open(folder, warnings)
    if found is None:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                warnings.clear()
                found = _open(folder, warnings)
                if found is None:
                    _room_for(dataset, folder)
                    _build(
                        folder,
                        dataset,
                        names=names,
                        classes=classes,
                        settings=settings or {},
                        workers=workers,
                        skip_unreadable=skip_unreadable,
                    )
                    found, built = _open(folder, warnings), True
        except OSError as error:
            raise GansmithError(
                f"could not write the pixel cache {folder}: {error.strerror or error}. Nothing was left there. "
                f"{_need(error)}set GANSMITH_CACHE to a folder that can be written and has room, "
                f"or decode while training (cache: false)"
            ) from error
    assert found is not None
    data, meta = found
    skipped: dict[str, str] = meta["skipped"]
    if skipped and not skip_unreadable:  # built by a run that allowed it
        raise unreadable(skipped, len(names))
    if skipped:
        warnings.append(left_out(skipped))
    return Cached(
        data=data,
        keys=tuple(meta["keys"]),
        kept=np.asarray(meta["kept"], dtype=np.int64),
        classes=None if meta["classes"] is None else tuple(meta["classes"]),
        digest=meta["digest"],
        skipped=skipped,
        folder=folder,
        built=built,
        warnings=tuple(warnings),
    )


def _room_for(dataset: Dataset, folder: Path) -> None:
    """Raises GansmithError before anything is decoded when the disk has no room for the pixels."""
    for index in range(min(len(dataset), 16)):
        with suppress(UnreadableImageError, OSError):
            needed = len(dataset) * dataset.one(index).image.nbytes
            free = shutil.disk_usage(folder.parent).free
            if needed > free:
                raise GansmithError(
                    f"the pixel cache needs {needed / 2**30:.1f} GiB and {folder.parent} has {free / 2**30:.1f} GiB "
                    f"free. Take smaller images (--size) or fewer (--fraction), set GANSMITH_CACHE to a folder with "
                    f"room, or decode while training (--set data.cache=false)"
                )
            return


def unreadable(failures: Mapping[str, str], total: int) -> DataError:
    """One error for all the pictures that could not be decoded."""
    return DataError(
        f"{_count(len(failures))} of {total:,} could not be read: {_listed(failures)}. "
        f"Repair or remove them, or leave them out with --skip-unreadable"
    )


def left_out(failures: Mapping[str, str]) -> str:
    """The warning about pictures that could not be decoded and are done without."""
    return f"left out {_count(len(failures))} that could not be read: {_listed(failures)}"


def _listed(failures: Mapping[str, str]) -> str:
    """`a.png is empty; b.png cannot be decoded ...; and 3 more`."""
    first = list(failures.items())[:_NAMED]
    shown = "; ".join(reason if name in reason else f"{name}: {reason}" for name, reason in first)
    more = len(failures) - _NAMED
    return f"{shown}; and {more:,} more" if more > 0 else shown


def _count(number: int) -> str:
    return f"{number:,} picture{'' if number == 1 else 's'}"


def _need(error: OSError) -> str:
    return "The disk is full: make room, " if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Either "


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time; says so when it has to wait. The lock dies with the process that holds it."""
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("waiting for another process that builds the same pixel cache", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _open(folder: Path, warnings: list[str]) -> tuple[Arrays, dict[str, Any]] | None:
    """The cache in `folder`; None when there is none or a damaged one, which is added to `warnings`."""
    if not folder.exists():
        return None
    try:
        meta = json.loads((folder / "meta.json").read_text())
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if meta["labels"] else None
        if meta["version"] != VERSION or list(images.shape) != meta["shape"] or str(images.dtype) != meta["dtype"]:
            raise ValueError("its files do not fit together")
        if not len(images) == len(meta["keys"]) == len(meta["kept"]):
            raise ValueError("its names do not fit its pictures")
        data = Arrays(np.asarray(images), labels)  # a plain array over the map: numpy's memmap class is slower to index
        for field in ("classes", "digest", "skipped"):
            meta[field]
    except (OSError, ValueError, KeyError, TypeError, EOFError, DataError) as error:
        warnings.append(f"the pixel cache {folder} was damaged ({error}) and is built anew")
        return None
    return data, meta


def _build(
    folder: Path,
    dataset: Dataset,
    *,
    names: Sequence[str],
    classes: tuple[str, ...] | None,
    settings: Mapping[str, Any],
    workers: int | None,
    skip_unreadable: bool,
) -> None:
    """Called under the lock of `folder`: whatever other building place of this key exists belongs to the dead."""
    for left in folder.parent.glob(f"{folder.name}.building*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in folder.parent.glob("*.building.*"):  # of other keys, unless somebody is at work there
        with suppress(Timeout), FileLock(folder.with_name(f"{left.name.partition('.')[0]}.lock"), timeout=0):
            shutil.rmtree(left, ignore_errors=True)
    place = folder.with_name(f"{folder.name}.building.{os.getpid()}")
    try:
        place.mkdir()
        with Blocks(place / "images.npy", len(dataset)) as blocks:
            with bar("decoding", len(dataset)) as advance:
                labels, failures = decode_all(dataset, blocks, workers=workers, advance=advance)
            named = {names[index]: reason for index, reason in sorted(failures.items())}
            if failures and (not skip_unreadable or len(failures) == len(dataset)):
                raise unreadable(named, len(dataset))
            kept = np.setdiff1d(np.arange(len(dataset)), np.fromiter(failures, dtype=np.int64, count=len(failures)))
            blocks.compact(kept)
            digest = blocks.finish()
        if labels is not None:
            labels = labels[kept]
            digest.update(labels.astype("<i8").tobytes())
            with (place / "labels.npy").open("wb") as file:
                np.save(file, labels, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        meta = {
            "version": VERSION,
            "shape": [len(kept), *blocks.shape],
            "dtype": str(blocks.dtype),
            "labels": labels is not None,
            "digest": digest.hexdigest(),
            "settings": dict(settings),
            "classes": None if classes is None else list(classes),
            "skipped": named,
            "keys": [names[index] for index in kept],
            "kept": kept.tolist(),
        }
        write_json(place / "meta.json", meta)
        if folder.exists():  # damaged
            shutil.rmtree(folder)
        place.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)
