"""The layouts of folders that hold both domains of a translation.

They are those in which data sets are published with Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation
using Cycle-Consistent Adversarial Networks": trainA and trainB, beside testA and testB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gansmith.data.listing import is_image, ordered

_STYLES = (("a", "b"), ("A", "B"), ("trainA", "trainB"))
_TEST_PARTS = re.compile(r"(test|val)[AB]?")  # what published sets hold beside the part to train on


class DomainFolders(NamedTuple):
    """The places of both domains in one folder, and the names in it that are left out."""

    a: Path
    b: Path
    left_out: tuple[str, ...]


def find_domains(folder: Path) -> DomainFolders | None:
    """The folders or zips called a and b (A and B, trainA and trainB) in `folder`; None where they are missing, or
    where images other than parts for tests are beside them."""
    if not folder.is_dir():
        return None
    inside = {name: path for path in sorted(folder.iterdir()) if (name := _holder(path)) is not None}
    for first, second in _STYLES:
        if {first, second} <= inside.keys():
            rest = tuple(name for name in inside if name not in (first, second))
            known = all(_TEST_PARTS.fullmatch(name) for name in rest)
            return DomainFolders(inside[first], inside[second], rest) if known else None
    return None


def _holder(path: Path) -> str | None:
    """The name of what may hold images: a folder, a zip, or an image itself; None for anything else."""
    if path.name.startswith(".") or path.name == "__MACOSX":
        return None
    if path.is_dir():
        return path.name
    return path.stem if path.suffix.lower() == ".zip" else path.name if is_image(path.name) else None


def training_part(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """(`folder`, or the folder `train` in it where only parts for tests are beside that; the names of these parts)."""
    inside = {name: path for path in folder.iterdir() if (name := _holder(path)) is not None} if folder.is_dir() else {}
    rest = ordered(name for name in inside if name != "train")
    if "train" in inside and all(_TEST_PARTS.fullmatch(name) for name in rest):
        return inside["train"], tuple(rest)
    return folder, ()


def left_out(names: Sequence[str], place: Path) -> tuple[str, ...]:
    """The note about parts that are not trained on, if there are any."""
    return (f"left out of {place}: {', '.join(names)}",) if names else ()
