"""The pixel cache: every image decoded and resized once, into one uint8 file that is indexed a whole batch at a time.

One folder for each key, KEY = digest of what the images are made from and of how (`key_of`); `cache_folder.py` reads
and writes it. A lock lets one process build while others wait for it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gansmith.data import cache_folder
from gansmith.data.dataset import Arrays, Dataset
from gansmith.data.unreadable import left_out, unreadable
from gansmith.errors import DataError, GansmithError, UnreadableImageError
from gansmith.system.console import say
from gansmith.system.paths import expanded


@dataclass(frozen=True)
class Cached:
    """An opened cache.

    data      the images, over the memory-mapped file
    keys      their names;  kept: their positions in the dataset that was stored (int64 [N])
    digest    of pixels and labels: two caches with equal digests hold equal data
    skipped   name -> reason of each image that could not be read
    folder    of the cache;  built: whether this call built it;  warnings: for the user
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
    """The folder of all caches: $GANSMITH_CACHE, or gansmith/ in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("GANSMITH_CACHE")
    if chosen:
        return expanded(chosen)
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "gansmith"


def uncached(key: str) -> Path:
    """The folder for what is computed from images that are decoded as they come."""
    return root() / f"{key}.seen"


def key_of(stamps: Iterable[bytes], settings: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that change when the content of an image, their order or a setting changes.

    >>> len(key_of([b"a", b"b"], {"size": 64})), key_of([b"a"], {}) == key_of([b"b"], {})
    (32, False)
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps({"version": cache_folder.VERSION, **settings}, sort_keys=True).encode())
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
    """The cache of `key`, built from `dataset` (ImageItems of one shape) where it does not exist yet.

    `workers` processes decode; None: one per core, none for few images. Memory does not grow with the number of
    images. Raises DataError naming unreadable images (left out and listed with `skip_unreadable`), or GansmithError
    when the folder cannot be written; then nothing is left behind.
    """
    if len(names) != len(dataset):
        raise DataError(f"{len(dataset)} images but {len(names)} names")
    folder = root() / key
    warnings: list[str] = []
    opened, built = cache_folder.open_folder(folder, warnings), False
    if opened is None:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                warnings.clear()
                opened = cache_folder.open_folder(folder, warnings)  # another process may have built it meanwhile
                if opened is None:
                    _check_free_space(dataset, folder)
                    content = cache_folder.Content(dataset, names, classes, settings or {})
                    cache_folder.build_folder(folder, content, workers=workers, skip_unreadable=skip_unreadable)
                    opened, built = cache_folder.open_folder(folder, warnings, verify=False), True
        except OSError as error:
            raise _not_written(folder, error) from error
    assert opened is not None
    data, meta = opened
    skipped = meta.skipped
    if skipped and not skip_unreadable:  # built by a run that allowed it
        raise unreadable(skipped, len(names))
    if skipped:
        warnings.append(left_out(skipped))
    return Cached(
        data=data,
        keys=tuple(meta.keys),
        kept=np.asarray(meta.kept, dtype=np.int64),
        classes=None if meta.classes is None else tuple(meta.classes),
        digest=meta.digest,
        skipped=skipped,
        folder=folder,
        built=built,
        warnings=tuple(warnings),
    )


def _check_free_space(dataset: Dataset, folder: Path) -> None:
    """Raise GansmithError before anything is decoded when the disk has no room for the pixels."""
    for index in range(min(len(dataset), 16)):
        with suppress(UnreadableImageError, OSError):
            needed = len(dataset) * dataset.one(index).image.nbytes
            free = shutil.disk_usage(folder.parent).free
            if needed > free:
                raise GansmithError(
                    f"the pixel cache needs {needed / 2**30:.1f} GiB and {folder.parent} has {free / 2**30:.1f} GiB "
                    f"free. Use smaller images (--size) or fewer (--fraction), set GANSMITH_CACHE to a folder with "
                    f"room, or decode while training (--set data.cache=false)"
                )
            return


def _not_written(folder: Path, error: OSError) -> GansmithError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return GansmithError(
        f"could not write the pixel cache {folder}: {error.strerror or error}. Nothing was left there. "
        f"{'The disk is full: make room, ' if full else 'Either '}set GANSMITH_CACHE to a folder that can be written "
        f"and has room, or decode while training (cache: false)"
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time, with a message when it has to wait. The lock ends with the process that holds it."""
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("waiting for another process that builds the same pixel cache")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
