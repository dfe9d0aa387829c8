"""Pairs of images in one place: side by side in one picture (a to the left), or folders a and b of equal names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gansmith.data.domain_folders import find_domains, left_out, training_part
from gansmith.data.open import open_dataset
from gansmith.data.side_by_side import Half, count_side_by_side
from gansmith.data.source import Domains, Source
from gansmith.errors import DataError

PAIRED = True


def accepts_domains(path: Path) -> bool:
    """Does the folder hold both sides, or is every picture of the set twice as wide as high?"""
    if find_domains(path) is not None:
        return True
    try:
        wide, readable = count_side_by_side(open_dataset(training_part(path)[0]))
    except DataError:
        return False
    return wide == readable > 0


def domains(path: Path, *, order: Literal["ab", "ba"] = "ab") -> Domains:
    """The sources of the two sides; `ba` swaps them. Raises DataError for a set that cannot be opened."""
    found = find_domains(path)
    if found is not None:
        sides: tuple[Source, Source] = (open_dataset(found.a), open_dataset(found.b))
        notes, name = left_out(found.left_out, path), path.resolve().name
    else:
        place, rest = training_part(path)
        whole = open_dataset(place)
        if whole.points:
            raise DataError(f"{path} is a set of points, not of pictures that hold two side by side")
        sides = (Half(whole, right=False), Half(whole, right=True))
        notes, name = left_out(rest, path), whole.name
    a, b = sides if order == "ab" else (sides[1], sides[0])
    return Domains(a, b, name, notes)
