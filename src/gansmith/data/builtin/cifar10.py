"""Small photographs, 60,000 of 32x32 RGB pixels in 10 classes, if on this machine.

Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images", chapter 3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gansmith import catalog
from gansmith.data.locations import first, places
from gansmith.data.source import Source

NEEDS = {"folders": ("cifar10", "cifar-10", "cifar-10-batches-bin")}


def build(*, split: Literal["train", "test"] = "train") -> Source:
    """uint8 [32, 32, 3]; `split`: train (50,000) or test (10,000).

    Raises DataError when the set is not on this machine.

    Read from the binary version, or else from a folder `train/` or a zip `cifar10*train*.zip` of class folders
    (those may be JPEG copies: figures measured on them are not comparable with published ones).

    >>> folder = catalog.find("formats", "cifar_binary", "example")(Path("data/cifar10"))  # twelve images stand in
    >>> build().name, build().size, len(build().classes)
    ('cifar10', (32, 32), 10)
    """
    folders = places("cifar10", "cifar-10", "cifar-10-batches-bin")
    folders = [place for folder in folders for place in (folder, folder / "cifar-10-batches-bin")]
    is_binary = catalog.find("formats", "cifar_binary", "accepts")
    folder = first(
        folders,
        lambda place: is_binary(place) or _copy(place, split) is not None,
        what="cifar10",
        get="Get it: unpack the CIFAR-10 archive, binary version, into one of these folders, or name the folder that "
        "you have in GANSMITH_DATASETS (it holds cifar10/)",
    )
    source: Source
    if is_binary(folder):
        source = catalog.build("formats", "cifar_binary", folder, split=split)
    else:
        copy = _copy(folder, split)
        source = catalog.build("formats", "zip" if copy is not None and copy.is_file() else "folder", copy)
    source.name, source.size = "cifar10", (32, 32)
    return source


def _copy(folder: Path, split: str) -> Path | None:
    zips = sorted(folder.glob(f"cifar10*{split}*.zip"))
    if zips:
        return zips[0]
    return folder / split if (folder / split).is_dir() else None
