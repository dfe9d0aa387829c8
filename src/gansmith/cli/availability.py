"""What entries of the catalog need besides this package (weights, an extra, images), and whether it is here.

An entry's file says it in a constant, read without importing the file:

    NEEDS = {"files": names of weights, one is enough;  "package": a Python package, "extra": the extra that brings it;
             "folders": where images of a set may lie;  "given": what the user must name}
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from gansmith import catalog
from gansmith.system.extras import install


class Availability(NamedTuple):
    """Is an entry ready for use on this machine? If not, how to get what it lacks."""

    here: bool
    way: str = ""

    @property
    def word(self) -> str:
        return "here" if self.here else "not here"


def availability(kind: str, name: str) -> Availability | None:
    """Of one entry; None for one that needs nothing.

    >>> availability("objectives", "hinge") is None
    True
    """
    needs: dict[str, Any] | None = catalog.literal(kind, name, "NEEDS")
    if needs is None:
        return None
    lacking = []
    if "package" in needs and not _installed(needs["package"]):
        lacking.append(install(needs["extra"]))
    if "files" in needs and not _weights(needs["files"]):
        lacking.append(f"gansmith features install {needs.get('from', name)}")
    if "folders" in needs and not _images(needs["folders"]):
        lacking.append(f"gansmith data check {name} says where it is looked for, and how to get it")
    if "given" in needs:
        lacking.append(needs["given"])
    return Availability(not lacking, "; ".join(lacking))


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _weights(files: tuple[str, ...]) -> list[str]:
    from gansmith.data.cache import root

    return [file for file in files if (root() / "weights" / file).is_file()]


def _images(folders: tuple[str, ...]) -> bool:
    from gansmith.data.locations import places

    candidates = [*places(*folders), *(Path(folder) for folder in folders if "/" in folder)]
    return any(place.is_dir() and any(place.iterdir()) for place in candidates)
