"""Images computed from those of another set, under names: the same name in two such sets is the same image before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import ImageItem
from gansmith.data.encoded import digest
from gansmith.data.limits import require_count
from gansmith.data.source import Source
from gansmith.data.subsets import evenly_spaced

Pixels = NDArray[np.uint8]

_IMAGE = 200  # bytes: its place, its label and its name


class Derived(Source):
    """`function` of `count` images uint8 [H, W, C], spread evenly over `source`; labels are kept.

    Where the source has file names, they are kept; its running numbers become names (`image_00007`), so that domains of
    one source can be matched. version: a number that changes when the function does.
    """

    def __init__(
        self,
        source: Source,
        function: Callable[[Pixels], Pixels],
        *,
        name: str,
        count: int,
        version: int,
        size: tuple[int, int] | None = None,
    ) -> None:
        require_count(name, count, _IMAGE)
        self.source, self.function, self.name, self.version = source, function, name, version
        self.positions = evenly_spaced(len(source), count)
        keys = [source.keys[index] for index in self.positions.tolist()]
        self.keys = [f"image_{int(key):05}" if key.isdecimal() else key for key in keys]
        self.labels = None if source.labels is None else source.labels[self.positions]
        self.classes, self.size = source.classes, size or source.size

    def one(self, index: int) -> ImageItem:
        item = self.source.one(int(self.positions[index]))
        return ImageItem(self.function(item.image), item.label)

    def stamp(self, index: int) -> bytes:
        return digest(self.source.stamp(int(self.positions[index])), self.name, self.version)
