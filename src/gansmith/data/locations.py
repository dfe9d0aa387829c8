"""Usual locations of published data sets on a machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from gansmith.errors import DataError


def places(*spellings: str) -> list[Path]:
    """Folders that are searched for a set of these spellings, best first.

    $GANSMITH_DATASETS, then ./data, ~/.cache and ~/data, then where Debian puts data sets; in each NAME and NAME/raw
    (torchvision's layout).
    """
    bases = [Path("data"), Path.home() / ".cache" / "gansmith", Path.home() / ".cache", Path.home() / "data"]
    bases.append(Path("/usr/share/datasets"))
    if chosen := os.environ.get("GANSMITH_DATASETS"):
        bases.insert(0, Path(chosen))
    return [base / spelling / inner for base in bases for spelling in spellings for inner in ("", "raw")]


def first(candidates: Sequence[Path], fits: Callable[[Path], bool], *, what: str, get: str) -> Path:
    """The first candidate that fits. Raises DataError with every place searched and how to get the set."""
    for candidate in candidates:
        if fits(candidate):
            return candidate
    looked = "\n  ".join(str(candidate) for candidate in candidates)
    raise DataError(f"{what} is not on this machine. Looked in\n  {looked}\n{get}")
