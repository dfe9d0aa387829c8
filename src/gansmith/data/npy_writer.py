"""Filling one .npy file from several processes: each writes its block of pictures at its place.

Written as a file, not through a memory map: a full disk is then an error that can be caught instead of a signal
that ends the process, and no process holds more than one block in memory. The header has a fixed length and is
written last, when it is known how many pictures could be decoded.

The .npy format: NumPy Enhancement Proposal 1 (Kern 2007), version 1.0.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset, Picture
from gansmith.errors import DataError, UnreadableImageError
from gansmith.system.progress import Advance

_HEADER = 128  # bytes
_BLOCK = 128  # pictures decoded between two reports, at most
_BLOCK_BYTES = 16 << 20
_FEW = 2_000  # pictures: below, starting processes costs more than it brings

Decoded = tuple[int, NDArray[np.int64] | None, dict[int, str]]  # how many, their classes, index -> what went wrong


class Blocks:
    """A .npy file of `count` pictures, whose shape the first picture decides. Used as a context."""

    def __init__(self, path: Path, count: int) -> None:
        self.path, self.count = path, count
        self.shape: tuple[int, ...] = ()
        self.dtype = np.dtype(np.uint8)
        self.descriptor = -1

    def __enter__(self) -> Blocks:
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.descriptor)

    @property
    def bytes_each(self) -> int:
        """The size of one picture."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def allocate(self, first: NDArray[Any]) -> None:
        """Take the shape of the first picture and the room for all: a full disk is found before the work is done."""
        self.shape, self.dtype = first.shape, first.dtype
        size = _HEADER + self.count * self.bytes_each
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self.descriptor, 0, size)
        else:
            os.truncate(self.descriptor, size)

    def write(self, start: int, images: NDArray[Any]) -> None:
        """Put images [n, ...] at position `start`."""
        self._put(_HEADER + start * self.bytes_each, np.ascontiguousarray(images).data.cast("B"))

    def compact(self, kept: NDArray[np.int64]) -> None:
        """Move the pictures at `kept` (ascending) to the front and forget the others."""
        if len(kept) < self.count:
            for to, since in enumerate(kept.tolist()):
                if to != since:
                    self._put(_HEADER + to * self.bytes_each, memoryview(self._get(since, 1)))
        self.count = len(kept)
        os.truncate(self.descriptor, _HEADER + self.count * self.bytes_each)

    def finish(self) -> hashlib.blake2b:
        """Write the header, sync, and return the running digest of shape and pixels."""
        shape = (self.count, *self.shape)
        text = repr({"descr": self.dtype.str, "fortran_order": False, "shape": shape})
        room = _HEADER - 10
        header = b"\x93NUMPY\x01\x00" + struct.pack("<H", room) + text.ljust(room - 1).encode() + b"\n"
        assert len(header) == _HEADER
        self._put(0, memoryview(header))
        os.fsync(self.descriptor)
        digest = hashlib.blake2b(text.encode(), digest_size=16)
        step = max(1, _BLOCK_BYTES // self.bytes_each)
        for start in range(0, self.count, step):
            digest.update(self._get(start, min(step, self.count - start)))
        return digest

    def _put(self, offset: int, data: memoryview) -> None:
        os.lseek(self.descriptor, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self.descriptor, data) :]

    def _get(self, start: int, count: int) -> bytes:
        os.lseek(self.descriptor, _HEADER + start * self.bytes_each, os.SEEK_SET)
        found = b""
        while len(found) < count * self.bytes_each:
            found += os.read(self.descriptor, count * self.bytes_each - len(found))
        return found


def decode_all(
    dataset: Dataset, blocks: Blocks, *, workers: int | None, advance: Advance
) -> tuple[NDArray[np.int64] | None, dict[int, str]]:
    """Decode every picture into `blocks`; returns the classes (None if the pictures have none) and, by index, what
    went wrong. Raises DataError when the pictures are not all of one shape, or some have classes and others not."""
    labels = np.full(len(dataset), -1, dtype=np.int64)
    failures: dict[int, str] = {}
    with_label = without_label = 0
    start = _first(dataset, blocks, failures, advance)  # the first that can be read decides the shape
    step = max(1, min(_BLOCK, _BLOCK_BYTES // max(1, blocks.bytes_each)))
    spans = [(at, min(at + step, len(dataset))) for at in range(start, len(dataset), step)]
    with _decoders(dataset, blocks, workers) as run:
        for (since, until), (count, some, wrong) in run(spans):
            failures.update(wrong)
            if some is not None:
                labels[since:until] = some
                with_label += count
            else:
                without_label += count
            advance(until - since)
    if with_label and without_label:
        raise DataError(f"{with_label:,} pictures have a class and {without_label:,} have none")
    return (labels if with_label else None), failures


def _first(dataset: Dataset, blocks: Blocks, failures: dict[int, str], advance: Advance) -> int:
    """The index of the first picture that can be read; the failures before it are noted."""
    for index in range(len(dataset)):
        try:
            image = dataset.one(index).image
        except (UnreadableImageError, OSError) as error:
            failures[index] = reason(error)
            advance()
        else:
            blocks.allocate(image)
            return index
    return len(dataset)


def reason(error: Exception) -> str:
    """One line."""
    return " ".join(str(error).split()) or type(error).__name__


Run = Callable[[list[tuple[int, int]]], Iterator[tuple[tuple[int, int], Decoded]]]


@contextmanager
def _decoders(dataset: Dataset, blocks: Blocks, workers: int | None) -> Iterator[Run]:
    """A function that decodes spans: in this process, or in others, which finish in any order."""
    forks = sys.platform.startswith("linux")
    if workers is None:  # where a process starts by importing the user's script again, only when asked to
        workers = os.cpu_count() or 1 if forks and len(dataset) >= _FEW else 0
    if workers == 0:
        yield lambda spans: ((span, _decode(dataset, blocks, span)) for span in spans)
        return
    context = multiprocessing.get_context("fork" if forks else "spawn")
    given = (dataset, blocks, os.getpid())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=given) as pool:
        yield lambda spans: _spread(pool, spans, at_once=2 * workers)


def _spread(
    pool: ProcessPoolExecutor, spans: list[tuple[int, int]], at_once: int
) -> Iterator[tuple[tuple[int, int], Decoded]]:
    waiting: dict[Future[Decoded], tuple[int, int]] = {}
    left = iter(spans)
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns when a process with threads forks: the children here decode and write, nothing else.
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
            for span in left:
                waiting[pool.submit(_decode_here, span)] = span
                if len(waiting) == at_once:
                    break
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                span = waiting.pop(future)
                yield span, future.result()
                following = next(left, None)
                if following is not None:
                    waiting[pool.submit(_decode_here, following)] = following
    except BrokenProcessPool as error:
        raise DataError(
            "a process that was decoding pictures died (out of memory?); try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_mine: tuple[Dataset, Blocks] | None = None  # what a decoding process works on, given once at its start


def _start(dataset: Dataset, blocks: Blocks, parent: int) -> None:
    global _mine  # noqa: PLW0603  (a process of its own)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _mine = (dataset, blocks.__enter__())  # its own descriptor: a shared one would share the position in the file


def _end_with(parent: int) -> None:
    """End this process when its parent was killed: it holds the parent's lock open, and nobody waits for its work."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _decode_here(span: tuple[int, int]) -> Decoded:
    assert _mine is not None
    return _decode(*_mine, span)


def _decode(dataset: Dataset, blocks: Blocks, span: tuple[int, int]) -> Decoded:
    """Decode and write one span."""
    since, until = span
    images = np.zeros((until - since, *blocks.shape), dtype=blocks.dtype)
    labels: list[Any] = []
    wrong: dict[int, str] = {}
    for index in range(since, until):
        try:
            picture: Picture = dataset.one(index)
        except (UnreadableImageError, OSError) as error:
            wrong[index] = reason(error)
            continue
        if picture.image.shape != blocks.shape or picture.image.dtype != blocks.dtype:
            raise DataError(
                f"picture {index} is {picture.image.dtype} {picture.image.shape} where the first is "
                f"{blocks.dtype} {blocks.shape}; resize them to one size first"
            )
        images[index - since] = picture.image
        labels.append((index, picture.label))
    blocks.write(since, images)
    some = [label for _, label in labels if label is not None]
    if some and len(some) < len(labels):
        raise DataError(f"between pictures {since} and {until - 1} some have a class and others have none")
    if not some:
        return len(labels), None, wrong
    classes = np.full(until - since, -1, dtype=np.int64)
    classes[[index - since for index, _ in labels]] = some
    return len(labels), classes, wrong
