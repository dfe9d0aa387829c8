"""Mapping of a function over every item, or over one field of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset, Indices
from gansmith.data.fields import change


def build(
    dataset: Dataset, function: Callable[[Any], Any], *, field: str | int | None = None, vectorised: bool = False
) -> Dataset:
    """Item i is `function(item i)`, or item i with only `field` (a name, or a place in a tuple) changed.

    `vectorised`: the function also takes many items collated, and is then called once for a whole batch.

    >>> from gansmith.data.dataset import Listed
    >>> doubled = build(Listed([1, 2, 3]), lambda item: 2 * item)
    >>> list(doubled), doubled[[2, 0]].tolist()
    ([2, 4, 6], [6, 2])
    """
    return Transformed(dataset, function, field, vectorised)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(np.flip, field="image")


class Transformed(Dataset):
    """See `build`."""

    def __init__(
        self, dataset: Dataset, function: Callable[[Any], Any], field: str | int | None, vectorised: bool
    ) -> None:
        self.dataset, self.function, self.field, self.vectorised = dataset, function, field, vectorised

    def __len__(self) -> int:
        return len(self.dataset)

    def one(self, index: int) -> Any:
        return change(self.dataset.one(index), self.field, self.function)

    def many(self, indices: Indices) -> Any:
        if self.vectorised:
            return change(self.dataset.many(indices), self.field, self.function)
        return super().many(indices)
