"""Of pairs, those of which both images could be read: image i of one domain is then the partner of i of the other."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from gansmith.data.dataset import Indices
from gansmith.data.selection import Selection
from gansmith.data.stages.values import Grouped, Images, Opened
from gansmith.errors import DataError


def keep_complete_pairs(opened: Opened, grouped: tuple[Grouped, ...]) -> tuple[Grouped, ...]:
    """`grouped` without images whose partner could not be read; unchanged where there are no pairs.

    Raises DataError when no pair is left.
    """
    if not opened.paired:
        return grouped
    a, b = grouped
    _, first, second = np.intersect1d(a.subjects, b.subjects, return_indices=True)
    if not len(first):
        raise DataError(f"{opened.name}: there is no pair of which both images can be read")
    return _only(a, first), _only(b, second)


def _only(domain: Grouped, positions: Indices) -> Grouped:
    if len(positions) == len(domain.subjects):
        return domain
    return Grouped(_selected(domain.images, positions), domain.subjects[positions], domain.groups[positions])


def _selected(images: Images, positions: Indices) -> Images:
    return replace(
        images,
        data=Selection(images.data, positions),
        keys=tuple(images.keys[index] for index in positions.tolist()),
        kept=images.kept[positions],
        labels=None if images.labels is None else images.labels[positions],
        digest=hashlib.blake2b(images.digest.encode() + positions.tobytes(), digest_size=16).hexdigest(),
    )
