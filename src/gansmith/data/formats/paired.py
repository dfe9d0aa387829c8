"""Pairs of images in one place: side by side in one image (a to the left), or folders a and b of equal names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from gansmith.data.domain_folders import find_domains, left_out, training_part
from gansmith.data.open import open_dataset
from gansmith.data.sample import png, sample_images
from gansmith.data.side_by_side import Half, count_side_by_side
from gansmith.data.source import Domains, Source
from gansmith.errors import DataError
from gansmith.system.paths import resolved

PAIRED = True


def accepts_domains(path: Path) -> bool:
    """Whether the folder holds both domains, or every image of the set is twice as wide as high."""
    if find_domains(path) is not None:
        return True
    try:
        wide, readable = count_side_by_side(open_dataset(training_part(path)[0]))
    except DataError:
        return False
    return wide == readable > 0


def domains(path: Path, *, order: Literal["ab", "ba"] = "ab") -> Domains:
    """The sources of both domains; `ba` swaps them. Raises DataError for a set that cannot be opened.

    >>> both = domains(example(Path(".")))
    >>> both.a[0].image.shape, int(both.a[0].image[0, 0, 0]), int(both.b[0].image[0, 0, 0])
    ((32, 32, 3), 0, 255)
    """
    folders = find_domains(path)
    if folders is not None:
        sides: tuple[Source, Source] = (open_dataset(folders.a), open_dataset(folders.b))
        notes, name = left_out(folders.left_out, path), resolved(path).name
    else:
        place, rest = training_part(path)
        whole = open_dataset(place)
        if whole.points:
            raise DataError(f"{path} is a set of points, not of images that hold a pair side by side")
        sides = (Half(whole, right=False), Half(whole, right=True))
        notes, name = left_out(rest, path), whole.name
    a, b = sides if order == "ab" else (sides[1], sides[0])
    return Domains(a, b, name, notes)


def example(folder: Path) -> Path:
    """The sample images, each side by side with its negative."""
    path = folder / "pairs"
    path.mkdir(parents=True)
    for index, image in enumerate(np.concatenate([sample_images(), 255 - sample_images()], axis=2)):
        (path / f"{index:02}.png").write_bytes(png(image))
    return path
