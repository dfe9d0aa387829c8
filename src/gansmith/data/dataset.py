"""Map-style dataset: `len(dataset)` and `dataset[i]`. Everything else is a dataset that wraps a dataset.

`i` is one index, giving one item, or an array of them, giving one collated item: wrappers pass arrays through, so a
whole batch is taken from an array in one call. Chain them fluently:

    Listed(paths).load(read).resize(size=(64, 64)).shuffle(seed=0).batch(size=32)

Each operator is a file in `operators/`, looked up by its name. After torchnet (Collobert, van der Maaten, Joulin 2016,
"Torchnet: An Open-Source Platform for (Deep) Learning Research"), section 2.1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError

Indices = NDArray[np.int64]


class ImageItem(NamedTuple):
    """One image uint8 [H, W, C] (C = 1, 3 or 4) and its class, or a batch of them: [N, H, W, C] and int64 [N].

    Toy sets of points hold float32 [1, 1, 2] instead.
    """

    image: NDArray[Any]
    label: Any = None


class Dataset(ABC):
    """Abstract: a subclass defines the number of items (`__len__`) and one item (`one`), and may define several at once
    (`many`), which otherwise collates single items."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def one(self, index: int) -> Any:
        """The item at `index`, 0 <= index < len."""

    def many(self, indices: Indices) -> Any:
        """The items at `indices`, collated."""
        return collate([self.one(int(index)) for index in indices])

    def __getitem__(self, index: int | slice | Sequence[int] | Indices) -> Any:
        """One item, or several collated. Negative indices count from the end. Raises IndexError outside."""
        if isinstance(index, (int, np.integer)):
            position = int(index)
            if not -len(self) <= position < len(self):
                raise IndexError(f"index {position} is outside a dataset of {len(self)}")
            return self.one(position % len(self))
        if isinstance(index, slice):
            return self.many(np.arange(len(self), dtype=np.int64)[index])
        indices = np.asarray(index, dtype=np.int64)
        if indices.size and not (-len(self) <= indices.min() and indices.max() < len(self)):
            raise IndexError(f"indices {indices.min()} to {indices.max()} are outside a dataset of {len(self)}")
        return self.many(np.where(indices < 0, indices + len(self), indices))

    def __iter__(self) -> Iterator[Any]:
        return (self.one(index) for index in range(len(self)))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """`dataset.shuffle(seed=0)`: the operator of that name, round this dataset."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in catalog.names("operators"):
            raise AttributeError(f"{type(self).__name__} has no attribute and there is no operator {name!r}")
        return lambda *arguments, **options: catalog.find("operators", name)(self, *arguments, **options)


class Listed(Dataset):
    """The elements of a list (torchnet's ListDataset)."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def one(self, index: int) -> Any:
        return self.items[index]


class Table(Dataset):
    """Columns of equal length; an item is one row, a dictionary (torchnet's TableDataset)."""

    def __init__(self, **columns: Sequence[Any]) -> None:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"the columns of a table must be of equal length, not {lengths}")
        self.columns = {name: np.asarray(column) for name, column in columns.items()}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def one(self, index: int) -> dict[str, Any]:
        return {name: column[index] for name, column in self.columns.items()}

    def many(self, indices: Indices) -> dict[str, Any]:
        return {name: column[indices] for name, column in self.columns.items()}


class Arrays(Dataset):
    """Images in arrays: images [N, H, W, C] and labels [N] or None. Takes a whole batch in one go."""

    def __init__(self, images: NDArray[Any], labels: NDArray[np.int64] | None = None) -> None:
        if labels is not None and len(labels) != len(images):
            raise DataError(f"{len(images)} images but {len(labels)} labels")
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def one(self, index: int) -> ImageItem:
        return ImageItem(self.images[index], None if self.labels is None else int(self.labels[index]))

    def many(self, indices: Indices) -> ImageItem:
        images = self.images.take(indices, axis=0)
        return ImageItem(images, None if self.labels is None else self.labels.take(indices))


def collate(items: Sequence[Any]) -> Any:
    """Items of one structure -> the structure of their stacks: arrays and numbers are stacked, tuples and dictionaries
    go field by field, None stays None, anything else becomes a list.

    Raises DataError when arrays to be stacked differ in shape.
    """
    if not items:
        raise DataError("cannot collate no items")
    first = items[0]
    if any((item is None) != (first is None) for item in items):
        raise DataError("some of these items have a label and others have none; give all of them one, or none")
    if first is None:
        return None
    if isinstance(first, Mapping):
        return {key: collate([item[key] for item in items]) for key in first}
    if isinstance(first, tuple):
        fields = [collate(list(column)) for column in zip(*items, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else tuple(fields)
    if isinstance(first, np.ndarray):
        shapes = {item.shape for item in items}
        if len(shapes) > 1:
            raise DataError(f"images of different shapes cannot be stacked: {sorted(shapes)[:4]}; resize them first")
        return np.stack(items)
    if isinstance(first, (bool, int, float, np.number)):
        return np.asarray(items)
    return list(items)
