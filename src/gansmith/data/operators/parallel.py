"""Prefetching in worker processes: items in order, for images that are decoded as they come.

torchnet's ParallelDatasetIterator, on `torch.utils.data.DataLoader`. With no workers, the same items in this process.
An array in memory is faster without workers: its batches would travel through a pipe.
"""

from __future__ import annotations

import atexit
import functools
import signal
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from gansmith.data.dataset import Dataset
from gansmith.errors import DataError, GansmithError, OptionError

_open: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()  # iterations whose workers may be alive


def build(dataset: Dataset, *, workers: int, start: int = 0, ahead: int = 2) -> Parallel:
    """An iterable over items `start`, `start + 1` ... in this order, `ahead` of them prefetched by each worker.

    A GansmithError raised in a worker arrives as it was raised, at its item. Workers end with the iteration, or when
    the iterator is dropped.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed([1, 2, 3]), workers=0, start=1))
    [2, 3]
    """
    if workers < 0:
        raise OptionError(f"workers must be 0 (none) or more, not {workers}")
    if ahead < 1:
        raise OptionError(f"ahead must be at least 1, not {ahead}")
    if not 0 <= start <= len(dataset):
        raise OptionError(f"cannot start at item {start} of {len(dataset)}")
    return Parallel(dataset, workers, start, ahead)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(workers=0, start=2)


class Parallel:
    """An iterable; each iteration starts its own workers."""

    def __init__(self, dataset: Dataset, workers: int, start: int, ahead: int) -> None:
        self.dataset, self.workers, self.start, self.ahead = dataset, workers, start, ahead

    def __len__(self) -> int:
        return len(self.dataset) - self.start

    def __iter__(self) -> Iterator[Any]:
        if not self.workers:
            return (self.dataset.one(index) for index in range(self.start, len(self.dataset)))
        items = self._from_workers()
        _open.add(items)
        return items

    def _from_workers(self) -> Generator[Any, None, None]:
        import torch
        from torch.utils.data import DataLoader

        loader: DataLoader[Any] = DataLoader(
            Caught(self.dataset),  # type: ignore[arg-type]
            batch_size=None,
            sampler=range(self.start, len(self.dataset)),
            num_workers=self.workers,
            prefetch_factor=self.ahead,
            collate_fn=_unchanged,  # the default would make tensors of arrays
            worker_init_fn=_ignore_signals,
            generator=torch.Generator(),  # else the global generator moves, and 0 workers differ from 2
        )
        _close_at_exit()
        items = iter(loader)
        try:
            while (item := _next(items)) is not _End:
                if isinstance(item, Failure):
                    raise item.error
                yield item
        finally:
            del items  # ends the workers, even while a traceback keeps this frame


class Failure(NamedTuple):
    """What a worker sends in place of an item that raised."""

    error: GansmithError


class Caught:
    """A dataset that returns errors as values: DataLoader would wrap them with their traceback as text."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        try:
            return self.dataset.one(index)
        except GansmithError as error:
            return Failure(error)


class _End:
    """Marks the end of the items."""


def _next(items: Iterator[Any]) -> Any:
    try:
        return next(items, _End)
    except RuntimeError as error:
        if "exited unexpectedly" not in str(error):
            raise
        raise DataError(
            "a worker process that reads images was killed, most likely for want of memory; use fewer workers"
        ) from error


@functools.cache
def _close_at_exit() -> None:
    """End workers before torch and multiprocessing do: they send a SIGTERM, which ours ignore, and wait without end.

    Registered once torch is imported, so that it runs before torch's own.
    """
    atexit.register(_close_all)


def _close_all() -> None:
    for items in list(_open):
        items.close()


def _unchanged(item: Any) -> Any:
    return item


def _ignore_signals(worker: int) -> None:
    """Ctrl-C and SIGTERM reach the whole process group; only the main process acts on them, saves, and ends us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
