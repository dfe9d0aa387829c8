"""Concatenation of datasets (also in place of torchnet's chaining of iterators)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gansmith.data.dataset import Arrays, Dataset, Indices
from gansmith.data.sample import sample_images, sample_labels
from gansmith.errors import DataError


def build(dataset: Dataset, *others: Dataset) -> Dataset:
    """The items of `dataset`, then those of each of `others`. A batch takes one `many` of each part that it draws from.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed([1, 2]), Listed([3])))
    [1, 2, 3]
    """
    return Concatenated([dataset, *others])


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(Arrays(sample_images()[:5], sample_labels()[:5]))


class Concatenated(Dataset):
    """See `build`."""

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = parts
        self.ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def one(self, index: int) -> Any:
        part = int(np.searchsorted(self.ends, index, side="right"))
        return self.parts[part].one(index - self._start(part))

    def many(self, indices: Indices) -> Any:
        owners = np.searchsorted(self.ends, indices, side="right")
        touched = [int(part) for part in np.unique(owners)]
        if len(touched) < 2:
            return super().many(indices) if not touched else self._from(touched[0], indices)
        groups = [self._from(part, indices[owners == part]) for part in touched]
        order = np.concatenate([np.flatnonzero(owners == part) for part in touched])
        return _merge(groups, np.argsort(order))

    def _from(self, part: int, indices: Indices) -> Any:
        return self.parts[part].many(indices - self._start(part))

    def _start(self, part: int) -> int:
        return int(self.ends[part - 1]) if part else 0


def _merge(groups: list[Any], order: Indices) -> Any:
    """Collated groups of one structure -> one collated group, reordered."""
    first = groups[0]
    if any((group is None) != (first is None) for group in groups):
        raise DataError("some of these datasets have labels and others have none; give all of them some, or none")
    if first is None:
        return None
    if isinstance(first, Mapping):
        return {key: _merge([group[key] for group in groups], order) for key in first}
    if isinstance(first, tuple):
        fields = [_merge(list(column), order) for column in zip(*groups, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else tuple(fields)
    if isinstance(first, np.ndarray):
        shapes = {group.shape[1:] for group in groups}
        if len(shapes) > 1:
            raise DataError(f"images of different shapes cannot be stacked: {sorted(shapes)[:4]}; resize them first")
        return np.concatenate(groups)[order]
    items = [item for group in groups for item in group]
    return [items[place] for place in order]
