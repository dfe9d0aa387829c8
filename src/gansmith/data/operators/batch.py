"""Mini-batches: one item of a batched dataset is `size` items collated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.errors import DataError, OptionError


def build(dataset: Dataset, *, size: int, last: Literal["keep", "drop"] = "keep") -> Dataset:
    """Item i is items i * size to (i + 1) * size - 1, taken in one call. The last, shorter batch is kept or dropped.

    >>> from gansmith.data.dataset import Listed
    >>> batches = build(Listed([1, 2, 3, 4, 5]), size=2)
    >>> len(batches), batches[0].tolist(), batches[2].tolist()
    (3, [1, 2], [5])
    """
    if size < 1:
        raise OptionError(f"a batch needs a size of at least 1, not {size}")
    if last not in ("keep", "drop"):
        raise OptionError(f"last must be 'keep' or 'drop', not {last!r}")
    if last == "drop" and len(dataset) < size:
        raise DataError(f"a batch of {size} from {len(dataset)} items with last='drop' leaves nothing; reduce the size")
    return Batched(dataset, size, last)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(size=5)


class Batched(Dataset):
    """See `build`."""

    def __init__(self, dataset: Dataset, size: int, last: Literal["keep", "drop"]) -> None:
        self.dataset, self.size, self.last = dataset, size, last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.size)
        return whole + (rest > 0 and self.last == "keep")

    def one(self, index: int) -> Any:
        start = index * self.size
        return self.dataset.many(np.arange(start, min(start + self.size, len(self.dataset)), dtype=np.int64))
