"""Names of the images in a folder or an archive, their order and their classes.

The rules are the same for a folder, a zip and every operating system: hidden names and what macOS adds are left out,
order is natural (2 before 10), and the class is the first folder below the one that all names share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")


def is_image(name: str) -> bool:
    """Whether a name, with `/` between folders, is that of a visible image file. Case does not matter."""
    parts = name.split("/")
    return name.lower().endswith(SUFFIXES) and not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def ordered(names: Iterable[str]) -> list[str]:
    """Natural order: runs of digits by their value, the rest by code point, folder by folder."""
    return sorted(names, key=_natural)


def classes_of(names: Sequence[str]) -> tuple[NDArray[np.int64] | None, tuple[str, ...] | None]:
    """Names with `/` between folders -> (labels [N], the classes' names), or (None, None).

    Folders that all names share (`Dataset/0/x.jpg`, `Dataset/1/y.jpg`) are skipped first. There are classes when then
    every name lies in a folder and there are at least two of them.
    """
    parts = [name.split("/") for name in names]
    depth = 0
    while parts and all(len(part) > depth + 1 for part in parts) and len({part[depth] for part in parts}) == 1:
        depth += 1
    if not parts or any(len(part) <= depth + 1 for part in parts):
        return None, None
    return numbered([part[depth] for part in parts])


def numbered(words: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """One word per item -> (labels int64 [N], the distinct words in natural order)."""
    classes = tuple(ordered(set(words)))
    index = {word: number for number, word in enumerate(classes)}
    return np.array([index[word] for word in words], dtype=np.int64), classes


def known_suffixes() -> str:
    """For messages: `.png .jpg ...`."""
    return " ".join(SUFFIXES)


def _natural(name: str) -> tuple[list[list[tuple[int, int, str]]], str]:
    plain = unicodedata.normalize("NFC", name)  # macOS stores accents apart from their letters
    return [
        [(0, int(run), "") if run.isdigit() else (1, 0, run) for run in re.findall(r"[0-9]+|[^0-9]+", part)]
        for part in plain.split("/")
    ], name
