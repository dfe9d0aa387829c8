"""Some classes of a labelled set: frogs of photographs of ten kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import ImageItem, Indices
from gansmith.data.encoded import Encoded, Reader
from gansmith.data.source import Source
from gansmith.errors import DataError, UnknownNameError, unknown
from gansmith.system.text import printable

_LISTED = 3  # classes that the set's new name lists


def of_classes(source: Source, wanted: Sequence[str]) -> Source:
    """The images of `source` in the classes `wanted`, numbered in the order of the set; of one class alone, images
    without labels. All of it where none is named.

    Raises UnknownNameError naming the nearest class, DataError for a set without classes or a class without images.

    >>> from gansmith.data.open import open_dataset
    >>> some = of_classes(open_dataset("digits"), ["7", "3"])
    >>> some.name, some.classes, len(some), some.one(0).label
    ('digits (3, 7)', ('3', '7'), 362, 0)
    """
    if not wanted:
        return source
    if source.points:
        raise DataError(f"data.classes chooses images, and {source.name} is a set of points")
    if source.labels is None:
        why = "".join(f". {note}" for note in source.notes if note.startswith("no classes"))
        raise DataError(f"data.classes = {', '.join(map(printable, wanted))}, and {source.name} has no classes{why}")
    names = source.classes or tuple(str(label) for label in range(int(source.labels.max(initial=-1)) + 1))
    for word in wanted:
        if word not in names:
            raise UnknownNameError(unknown(f"class of {source.name}", word, map(printable, names)))
    chosen = [name for name in names if name in wanted]
    numbers = np.array([names.index(name) for name in chosen], dtype=np.int64)
    positions = np.flatnonzero(np.isin(source.labels, numbers))
    labels = np.searchsorted(numbers, source.labels[positions])
    empty = [name for number, name in enumerate(chosen) if number not in labels]
    if empty:
        raise DataError(f"{source.name} has no image of the class {', '.join(map(printable, empty))}")
    listed = ", ".join(chosen) if len(chosen) <= _LISTED else f"{len(chosen):,} classes"
    several = len(chosen) > 1
    selected = _selected(source, positions, labels if several else None)
    selected.name, selected.classes = f"{source.name} ({listed})", tuple(chosen) if several else None
    selected.size, selected.notes = source.size, source.notes
    return selected


def _selected(source: Source, positions: Indices, labels: NDArray[np.int64] | None) -> Source:
    keys = [source.keys[index] for index in positions.tolist()]
    if isinstance(source, Encoded):
        return Encoded(_SomeFiles(source.reader, positions), name="", keys=keys, labels=labels, ignored=source.ignored)
    return _SomeImages(source, positions, keys, labels)


class _SomeFiles:
    """The reader of the files at `positions` of another."""

    def __init__(self, reader: Reader, positions: Indices) -> None:
        self.reader, self.positions = reader, positions

    def where(self, index: int) -> str:
        return self.reader.where(int(self.positions[index]))

    def read(self, index: int) -> bytes:
        return self.reader.read(int(self.positions[index]))

    def stamp(self, index: int) -> bytes:
        return self.reader.stamp(int(self.positions[index]))


class _SomeImages(Source):
    """The images at `positions` of another source, with labels of their own."""

    def __init__(self, source: Source, positions: Indices, keys: list[str], labels: NDArray[np.int64] | None) -> None:
        self.source, self.positions, self.keys, self.labels = source, positions, keys, labels

    def one(self, index: int) -> ImageItem:
        image = self.source.one(int(self.positions[index])).image
        return ImageItem(image, None if self.labels is None else int(self.labels[index]))

    def many(self, indices: Indices) -> ImageItem:
        images = self.source.many(self.positions[indices]).image
        return ImageItem(images, None if self.labels is None else self.labels[indices])

    def stamp(self, index: int) -> bytes:
        return self.source.stamp(int(self.positions[index]))
