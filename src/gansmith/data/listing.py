"""Names of the images in a folder or an archive, and their order.

The rules are the same for a folder, a zip and every operating system: hidden names and what macOS adds are left out,
and order is natural (2 before 10). What the folders mean is in `layout.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gansmith.data.kinds import OF_SUFFIX, readable, suffix_of

SUFFIXES = tuple(OF_SUFFIX)  # of all kinds that are read somewhere


def is_image(name: str) -> bool:
    """Whether a name, with `/` between folders, is that of a visible image file of a kind that is read here. Case does
    not matter."""
    kind = OF_SUFFIX.get(suffix_of(name))
    return kind is not None and readable(kind) and is_visible(name)


def is_visible(name: str) -> bool:
    """Whether neither the file nor a folder of its path is hidden, or was added by macOS or Windows."""
    parts = name.split("/")
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts) and parts[-1].lower() not in (
        "thumbs.db",
        "desktop.ini",
    )


def ordered(names: Iterable[str]) -> list[str]:
    """Natural order: runs of ASCII digits by their value, the rest by code point, folder by folder."""
    return sorted(names, key=_natural)


def numbered(words: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """One word per item -> (labels int64 [N], the distinct words in natural order)."""
    classes = tuple(ordered(set(words)))
    index = {word: number for number, word in enumerate(classes)}
    return np.array([index[word] for word in words], dtype=np.int64), classes


def known_suffixes() -> str:
    """For messages: `.png .jpg ...`, of the kinds that are read here."""
    return " ".join(suffix for suffix, kind in OF_SUFFIX.items() if readable(kind))


def _natural(name: str) -> tuple[list[list[tuple[int, int, str]]], str]:
    plain = unicodedata.normalize("NFC", name)  # macOS stores accents apart from their letters
    return [[_run(run) for run in re.findall(r"[0-9]+|[^0-9]+", part)] for part in plain.split("/")], name


def _run(run: str) -> tuple[int, int, str]:
    """ASCII digits compare by their value: by their number without leading zeros, then digit by digit. No integer is
    made of them, which Python refuses beyond 4,300 digits; other numerals (² and the like) are letters."""
    digits = run.lstrip("0")
    return (0, len(digits), digits) if "0" <= run[0] <= "9" else (1, 0, run)
