"""Source of images, which a format opens: of any size and mode, each with a name and perhaps a class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset, ImageItem


class Source(Dataset):
    """Images uint8 [H, W, C], C in (1, 2, 3, 4), sizes mixed; `one` raises UnreadableImageError naming the file.

    name      of the set, for run names and messages
    keys      one per image: the file name inside the set, or a running number
    labels    int64 [N], or None; known without decoding anything
    classes   their names, in the order of the labels, or None
    points    True for toy sets: `one` gives float32 [1, 1, 2], which are never resized
    size      (height, width) to train at where the set itself recommends one, else None
    notes     for the user: which part is used, why there are no classes, what was left out
    """

    name: str
    keys: Sequence[str]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] | None = None
    points: bool = False
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    @abstractmethod
    def one(self, index: int) -> ImageItem: ...

    @abstractmethod
    def stamp(self, index: int) -> bytes:
        """Bytes that change when the content of image `index` changes; cheap (no decoding)."""


class Domains(NamedTuple):
    """The two sources of a translation, the name of both together, and notes for the user."""

    a: Source
    b: Source
    name: str
    notes: tuple[str, ...] = ()
