"""Prefetching in worker processes: items in order, for images that are decoded as they come.

torchnet's ParallelDatasetIterator, on `torch.utils.data.DataLoader`. With no workers, the same items in this process.
An array in memory is faster without workers: its batches would travel through a pipe.
"""

from __future__ import annotations

import atexit
import functools
import signal
import warnings
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Any

from gansmith import catalog
from gansmith.data import worker_errors
from gansmith.data.dataset import Dataset, Indices
from gansmith.errors import DataError, OptionError
from gansmith.system import children
from gansmith.system.option_types import MOST_WORKERS, SMALL

_open: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()  # iterations whose workers may be alive


def build(dataset: Dataset, *, workers: int, start: int = 0, ahead: int = 2) -> Parallel:
    """The items from `start` on. Iterating it, `workers` processes prefetch `ahead` of them each, in this order.

    An error raised in a worker arrives as it was raised, at its item, with the worker's traceback as a note. Workers
    end with the iteration, when the iterator is dropped, and within a second of this process. By index, an item is made
    in this process. An operator round it is put inside, so that the workers do its work too.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed([1, 2, 3]), workers=0, start=1))
    [2, 3]
    >>> list(build(Listed([1, 2, 3]), workers=0).take(count=2))
    [1, 2]
    """
    if not 0 <= workers <= MOST_WORKERS:
        raise OptionError(f"workers must be from 0 (none) to {MOST_WORKERS}, not {workers}")
    if not 1 <= ahead <= SMALL:
        raise OptionError(f"ahead must be from 1 to {SMALL:,}, not {ahead}")
    if not 0 <= start <= len(dataset):
        raise OptionError(f"cannot start at item {start} of {len(dataset)}")
    return Parallel(dataset, workers, start, ahead)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(workers=0, start=2)


class Parallel(Dataset):
    """See `build`. Each iteration starts its own workers."""

    def __init__(self, dataset: Dataset, workers: int, start: int, ahead: int) -> None:
        self.dataset, self.workers, self.start, self.ahead = dataset, workers, start, ahead

    def __len__(self) -> int:
        return len(self.dataset) - self.start

    def one(self, index: int) -> Any:
        return self.dataset.one(self.start + index)

    def many(self, indices: Indices) -> Any:
        return self.dataset.many(self.start + indices)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        around = super().__getattr__(name)  # raises AttributeError where there is no operator of that name
        if name == "parallel":
            return around
        rest = Parallel(self.dataset, 0, self.start, self.ahead)

        def inside(*arguments: Any, **options: Any) -> Any:
            result = catalog.find("operators", name)(rest, *arguments, **options)
            if isinstance(result, dict):  # split
                return {key: self._with_workers(part) for key, part in result.items()}
            return self._with_workers(result)

        return inside if self.workers else around

    def _with_workers(self, dataset: Dataset) -> Parallel:
        return Parallel(dataset, self.workers, 0, self.ahead)

    def __iter__(self) -> Iterator[Any]:
        if not self.workers:
            return (self.dataset.one(index) for index in range(self.start, len(self.dataset)))
        items = self._from_workers()
        _open.add(items)
        return items

    def _from_workers(self) -> Generator[Any, None, None]:
        import torch
        from torch.utils.data import DataLoader

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create")  # workers beyond cores, as asked for
            loader: DataLoader[Any] = DataLoader(
                Caught(self.dataset),  # type: ignore[arg-type]
                batch_size=None,
                sampler=range(self.start, len(self.dataset)),
                num_workers=self.workers,
                prefetch_factor=self.ahead,
                collate_fn=_unchanged,  # the default would make tensors of arrays
                worker_init_fn=functools.partial(_start, children.this_process()),
                generator=torch.Generator(),  # else the global generator moves, and 0 workers differ from 2
            )
            _close_at_exit()
            items = iter(loader)
        try:
            while (item := _next(items)) is not _End:
                if isinstance(item, worker_errors.Failure):
                    raise worker_errors.error_of(item)
                yield item
        finally:
            _end(items)  # not by dropping `items`: a traceback may keep it


class Caught:
    """A dataset that returns errors as values: DataLoader would wrap them with their traceback as text."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return worker_errors.call(self.dataset.one, index)


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


def _end(items: Any) -> None:
    """End the workers of a DataLoader's iterator; those that do not end when they are told to are killed."""
    items._shutdown_workers()
    for worker in items._workers:
        if worker.is_alive():
            worker.kill()
            worker.join()


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


def _start(parent: children.Parent, worker: int) -> None:
    """Ctrl-C, SIGTERM and a closed terminal reach the whole process group; only the main process acts on them, saves,
    and ends us."""
    children.end_with(parent)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.SIG_IGN)
