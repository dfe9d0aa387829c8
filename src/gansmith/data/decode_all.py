"""Every image of a dataset decoded into one .npy file, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data import worker_errors
from gansmith.data.dataset import Dataset
from gansmith.data.npy_writer import BLOCK_BYTES, NpyWriter
from gansmith.data.unreadable import reason
from gansmith.errors import DataError, OptionError, UnreadableImageError
from gansmith.system import children
from gansmith.system.option_types import MOST_WORKERS
from gansmith.system.progress import Advance

_BLOCK = 128  # images decoded between two reports, at most
_FEW = 2_000  # images: below, starting processes costs more time than it saves

Span = tuple[int, int]  # first index, and one behind the last


class Decoded(NamedTuple):
    """Of one span: the number of readable images, their labels (int64, one for each index of the span, or None), and
    index -> reason of the others."""

    readable: int
    labels: NDArray[np.int64] | None
    failures: dict[int, str]


def decode_all(
    dataset: Dataset, writer: NpyWriter, *, workers: int | None, advance: Advance
) -> tuple[NDArray[np.int64] | None, dict[int, str]]:
    """Decode every image into `writer`; returns (labels int64 [N], or None; index -> reason of unreadable images).

    Raises DataError when the images are not all of one shape, or some have a label and others none.
    """
    labels = np.full(len(dataset), -1, dtype=np.int64)
    failures: dict[int, str] = {}
    with_label = without_label = 0
    start = _first_readable(dataset, writer, failures, advance)
    step = max(1, min(_BLOCK, BLOCK_BYTES // max(1, writer.bytes_each)))
    spans = [(at, min(at + step, len(dataset))) for at in range(start, len(dataset), step)]
    with _decoders(dataset, writer, workers) as run:
        for (since, until), decoded in run(spans):
            failures.update(decoded.failures)
            if decoded.labels is not None:
                labels[since:until] = decoded.labels
                with_label += decoded.readable
            else:
                without_label += decoded.readable
            advance(until - since)
    if with_label and without_label:
        raise DataError(f"{with_label:,} images have a class and {without_label:,} have none")
    return (labels if with_label else None), failures


def _first_readable(dataset: Dataset, writer: NpyWriter, failures: dict[int, str], advance: Advance) -> int:
    """The index of the first readable image, which decides the shape; the failures before it are noted."""
    for index in range(len(dataset)):
        try:
            image = dataset.one(index).image
        except (UnreadableImageError, OSError) as error:
            failures[index] = reason(error)
            advance()
        else:
            writer.allocate(image)
            return index
    return len(dataset)


Run = Callable[[list[Span]], Iterator[tuple[Span, Decoded]]]


@contextmanager
def _decoders(dataset: Dataset, writer: NpyWriter, workers: int | None) -> Iterator[Run]:
    """A function that decodes spans: in this process, or in others, which finish in any order."""
    forks = sys.platform.startswith("linux")
    if workers is None:  # where a process starts by importing the user's script again, only when asked to
        workers = os.cpu_count() or 1 if forks and len(dataset) >= _FEW else 0
    if workers > MOST_WORKERS:
        raise OptionError(f"workers must be from 0 (none) to {MOST_WORKERS}, not {workers}")
    if workers == 0:
        yield lambda spans: ((span, _decode(dataset, writer, span)) for span in spans)
        return
    method = "fork" if forks else "spawn"
    context = multiprocessing.get_context(method)
    arguments = (dataset, writer, children.this_process(method))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=arguments) as pool:
        yield lambda spans: _spread(pool, spans, at_once=2 * workers)


def _spread(pool: ProcessPoolExecutor, spans: list[Span], at_once: int) -> Iterator[tuple[Span, Decoded]]:
    waiting: dict[Future[Decoded | worker_errors.Failure], Span] = {}
    left = iter(spans)
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns when a process with threads forks: the children here decode and write, nothing else
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
            for span in left:
                waiting[pool.submit(_decode_in_child, span)] = span
                if len(waiting) == at_once:
                    break
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                span, decoded = waiting.pop(future), future.result()
                if isinstance(decoded, worker_errors.Failure):
                    raise worker_errors.error_of(decoded)
                yield span, decoded
                following = next(left, None)
                if following is not None:
                    waiting[pool.submit(_decode_in_child, following)] = following
    except BrokenProcessPool as error:
        raise DataError(
            "a process that was decoding images died (out of memory?); try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_of_this_child: tuple[Dataset, NpyWriter] | None = None  # what a decoding process works on, set once at its start


def _start(dataset: Dataset, writer: NpyWriter, parent: children.Parent) -> None:
    global _of_this_child  # noqa: PLW0603  (a process of its own)
    children.end_with(parent)  # else it keeps the parent's lock open, and nobody waits for its work
    for name in ("SIGINT", "SIGHUP"):  # the parent receives it too, and ends this process
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _of_this_child = (dataset, writer.__enter__())  # its own descriptor: a shared one shares the position in the file


def _decode_in_child(span: Span) -> Decoded | worker_errors.Failure:
    """A pool takes an error that has no copy by pickle for the death of the process."""
    assert _of_this_child is not None
    try:
        return _decode(*_of_this_child, span)
    except BaseException as error:
        return worker_errors.failure_of(error)


def _decode(dataset: Dataset, writer: NpyWriter, span: Span) -> Decoded:
    """Decode and write one span."""
    since, until = span
    images = np.zeros((until - since, *writer.shape), dtype=writer.dtype)
    labels: dict[int, Any] = {}
    failures: dict[int, str] = {}
    for index in range(since, until):
        try:
            item = dataset.one(index)
        except (UnreadableImageError, OSError) as error:
            failures[index] = reason(error)
            continue
        if item.image.shape != writer.shape or item.image.dtype != writer.dtype:
            raise DataError(
                f"image {index} is {item.image.dtype} {item.image.shape} where the first is "
                f"{writer.dtype} {writer.shape}; resize them to one size first"
            )
        images[index - since] = item.image
        labels[index] = item.label
    writer.write(since, images)
    unlabelled = sum(label is None for label in labels.values())
    if 0 < unlabelled < len(labels):
        raise DataError(f"between images {since} and {until - 1} some have a class and others have none")
    if unlabelled == len(labels):
        return Decoded(len(labels), None, failures)
    classes = np.full(until - since, -1, dtype=np.int64)
    classes[[index - since for index in labels]] = list(labels.values())
    return Decoded(len(labels), classes, failures)
