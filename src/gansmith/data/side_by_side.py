"""Images that hold a pair side by side, cut into their halves.

The layout of Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks": A in the
left half of a file, B in its right.
"""

from __future__ import annotations

from contextlib import suppress

from gansmith.data.dataset import ImageItem
from gansmith.data.encoded import digest
from gansmith.data.source import Source
from gansmith.data.subsets import evenly_spaced
from gansmith.errors import UnreadableImageError

_SAMPLED = 64  # images that decide whether a set is of pairs side by side


class Half(Source):
    """The left or right half of every image of `source`, each of which holds a pair side by side."""

    def __init__(self, source: Source, *, right: bool) -> None:
        self.source, self.right = source, right
        self.name = f"{source.name} ({'right' if right else 'left'} halves)"
        self.keys, self.labels, self.classes = source.keys, source.labels, source.classes
        self.notes = source.notes

    def one(self, index: int) -> ImageItem:
        image, label = self.source.one(index)
        width = image.shape[1]
        if width % 2:
            raise UnreadableImageError(
                f"{self.keys[index]} is {width} pixels wide, which cannot be cut into two halves"
            )
        return ImageItem(image[:, width // 2 :] if self.right else image[:, : width // 2], label)

    def stamp(self, index: int) -> bytes:
        return digest(self.source.stamp(index), "right" if self.right else "left")


def count_side_by_side(source: Source) -> tuple[int, int]:
    """(number of images twice as wide as high, number that could be read) of a sample evenly spaced over the set."""
    if source.points:
        return 0, 0
    wide = readable = 0
    for index in evenly_spaced(len(source), _SAMPLED).tolist():
        with suppress(UnreadableImageError, OSError):
            height, width = source.one(index).image.shape[:2]
            readable += 1
            wide += width == 2 * height
    return wide, readable
