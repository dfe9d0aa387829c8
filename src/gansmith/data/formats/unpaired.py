"""Two domains without pairs in one folder: a and b (A and B, trainA and trainB), each a folder or a zip."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gansmith.data.domain_folders import find_domains, left_out
from gansmith.data.open import open_dataset
from gansmith.data.sample import png, sample_images
from gansmith.data.source import Domains
from gansmith.errors import DataError
from gansmith.system.paths import resolved

PAIRED = False


def accepts_domains(path: Path) -> bool:
    """Whether the folder holds both domains."""
    return find_domains(path) is not None


def domains(path: Path, *, order: Literal["ab", "ba"] = "ab") -> Domains:
    """The sources of the two domains; `ba` swaps them. Raises DataError where they are missing.

    >>> both = domains(example(Path(".")))
    >>> len(both.a), len(both.b), both.name
    (12, 12, 'domains')
    """
    folders = find_domains(path)
    if folders is None:
        raise DataError(f"{path} does not hold two folders or zips called a and b (or A and B, or trainA and trainB)")
    a, b = (open_dataset(place) for place in (folders.a, folders.b))
    notes = left_out(folders.left_out, path)
    return Domains(a, b, resolved(path).name, notes) if order == "ab" else Domains(b, a, resolved(path).name, notes)


def example(folder: Path) -> Path:
    """The sample images in the folder a, their negatives in b."""
    path = folder / "domains"
    for name, images in (("a", sample_images()), ("b", 255 - sample_images())):
        (path / name).mkdir(parents=True)
        for index, image in enumerate(images):
            (path / name / f"{name}{index:02}.png").write_bytes(png(image))
    return path
