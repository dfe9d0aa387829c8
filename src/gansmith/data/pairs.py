"""Two sets of images that belong to one translation: where they lie, which of their names are one thing, and pictures
that hold a pair side by side.

The layouts are those in which data sets are published with Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image
Translation using Cycle-Consistent Adversarial Networks" (trainA and trainB), and with Isola, Zhu, Zhou, Efros 2017,
"Image-to-Image Translation with Conditional Adversarial Networks" (A in the left half of a file, B in its right).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Picture
from gansmith.data.encoded import digest
from gansmith.data.listing import SUFFIXES, is_image, ordered
from gansmith.data.source import Source
from gansmith.errors import DataError, UnreadableImageError

Indices = NDArray[np.int64]

_STYLES = (("a", "b"), ("A", "B"), ("trainA", "trainB"))
_KEPT_APART = re.compile(r"(test|val)[AB]?")  # what published sets hold beside the part to train on
_LOOKED_AT = 64  # pictures that decide whether a set is of pairs side by side
_NAMED = 3  # names shown of each side


class Domains(NamedTuple):
    """The two sources of a translation, what the whole is called, and what the user should hear."""

    a: Source
    b: Source
    name: str
    notes: tuple[str, ...] = ()


class Halves(NamedTuple):
    """Where the domains of one folder lie, and what else is in it and is left out."""

    a: Path
    b: Path
    left_out: tuple[str, ...]


def halves(folder: Path) -> Halves | None:
    """The folders or zips called a and b (A and B, trainA and trainB) in `folder`; None where they are not, or where
    there are images besides them and a part kept for tests."""
    if not folder.is_dir():
        return None
    inside = {name: path for path in sorted(folder.iterdir()) if (name := _holder(path)) is not None}
    for first, second in _STYLES:
        if {first, second} <= inside.keys():
            rest = tuple(name for name in inside if name not in (first, second))
            known = all(_KEPT_APART.fullmatch(name) for name in rest)
            return Halves(inside[first], inside[second], rest) if known else None
    return None


def _holder(path: Path) -> str | None:
    """What a place that may hold images is called: a folder, a zip, or an image itself."""
    if path.name.startswith(".") or path.name == "__MACOSX":
        return None
    if path.is_dir():
        return path.name
    return path.stem if path.suffix.lower() == ".zip" else path.name if is_image(path.name) else None


def to_train_on(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """`folder`, or the folder `train` in it where nothing but parts kept for tests is beside that; and what these are
    called."""
    inside = {name: path for path in folder.iterdir() if (name := _holder(path)) is not None} if folder.is_dir() else {}
    rest = ordered(name for name in inside if name != "train")
    if "train" in inside and all(_KEPT_APART.fullmatch(name) for name in rest):
        return inside["train"], tuple(rest)
    return folder, ()


def left_out(names: Sequence[str], place: Path) -> tuple[str, ...]:
    """The note about parts that are not trained on, if there are any."""
    return (f"left out of {place}: {', '.join(names)}",) if names else ()


# ---- names


def names_of(one: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the pictures of two sets are called, from their keys: the path inside the set without the suffix.

    Folders that all pictures of a set share are left out where that makes more names equal.
    """
    plain = [_stem(key) for key in one], [_stem(key) for key in other]
    inner = _below(plain[0]), _below(plain[1])
    return inner if len({*inner[0]} & {*inner[1]}) > len({*plain[0]} & {*plain[1]}) else plain


def most_are_shared(one: Sequence[str], other: Sequence[str]) -> bool:
    """Are more than half of the names of the smaller set names of the other too? Given the keys of both.

    Running numbers, the keys of pictures without file names, are no names: number 7 of two sets is not one thing.
    """
    if all(re.fullmatch(r"0|[1-9][0-9]*", key) for key in (*one, *other)):
        return False
    first, second = (set(names) for names in names_of(one, other))
    return 2 * len(first & second) > min(len(first), len(second))


def things(one: Sequence[str], other: Sequence[str], *, shared: bool) -> tuple[Indices, Indices]:
    """A number for each name, int64 [A] and [B]: equal names, equal numbers, also across the sets where these are
    `shared`. Numbers rise in the order of the first set, then of the second."""
    numbers: dict[object, int] = {}
    first = [numbers.setdefault(name, len(numbers)) for name in one]
    second = [numbers.setdefault(name if shared else (name,), len(numbers)) for name in other]
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def match(a: Source, b: Source) -> tuple[Indices, Indices, str | None]:
    """(positions in a, positions in b) of pictures of equal names, in the order of a, and a warning about the others.

    Raises DataError when none match, or when two pictures of one set have one name.
    """
    names = names_of(a.keys, b.keys)
    for source, own in zip((a, b), names, strict=True):
        twice = next((name for name, count in Counter(own).items() if count > 1), None)
        if twice is not None:
            which = " and ".join(key for key, name in zip(source.keys, own, strict=True) if name == twice)
            raise DataError(f"{source.name}: {which} have one name, so that their partner is not known. Rename one")
    places = [{name: position for position, name in enumerate(own)} for own in names]
    both = [name for name in names[0] if name in places[1]]
    if not both:
        shown = [f"{source.name}: {_some(source.keys)}" for source in (a, b)]
        raise DataError(
            f"no picture of {a.name} has a partner of the same name in {b.name} (suffixes do not matter). "
            f"Names look like\n  " + "\n  ".join(shown)
        )
    alone = [
        [key for key, name in zip(source.keys, own, strict=True) if name not in others]
        for source, own, others in zip((a, b), names, reversed(places), strict=True)
    ]
    said = [
        f"{len(keys):,} of {source.name} ({_some(keys)})" for source, keys in zip((a, b), alone, strict=True) if keys
    ]
    warning = f"left out pictures without a partner of the same name: {', '.join(said)}" if said else None
    chosen = [np.array([places[side][name] for name in both], dtype=np.int64) for side in (0, 1)]
    return chosen[0], chosen[1], warning


def _stem(key: str) -> str:
    plain = unicodedata.normalize("NFC", key)  # macOS stores accents apart from their letters
    suffix = next((suffix for suffix in SUFFIXES if plain.lower().endswith(suffix)), "")
    return plain[: len(plain) - len(suffix)]


def _below(names: Sequence[str]) -> list[str]:
    parts = [name.split("/") for name in names]
    depth = 0
    while parts and all(len(part) > depth + 1 for part in parts) and len({part[depth] for part in parts}) == 1:
        depth += 1
    return ["/".join(part[depth:]) for part in parts]


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_NAMED]) + (" ..." if len(keys) > _NAMED else "")


# ---- side by side


class Half(Source):
    """One half of every picture of `source`, each of which holds a pair side by side."""

    def __init__(self, source: Source, *, right: bool) -> None:
        self.source, self.right = source, right
        self.name = f"{source.name} ({'right' if right else 'left'} halves)"
        self.keys, self.labels, self.classes = source.keys, source.labels, source.classes

    def one(self, index: int) -> Picture:
        image, label = self.source.one(index)
        width = image.shape[1]
        if width % 2:
            raise UnreadableImageError(
                f"{self.keys[index]} is {width} pixels wide, which cannot be cut into two halves"
            )
        return Picture(image[:, width // 2 :] if self.right else image[:, : width // 2], label)

    def stamp(self, index: int) -> bytes:
        return digest(self.source.stamp(index), "right" if self.right else "left")


def side_by_side(source: Source) -> tuple[int, int]:
    """(how many are twice as wide as high, of how many that were looked at and could be read)."""
    if source.points:
        return 0, 0
    spread = np.unique(np.linspace(0, len(source) - 1, min(_LOOKED_AT, len(source))).round().astype(np.int64))
    wide = seen = 0
    for index in spread.tolist():
        with suppress(UnreadableImageError, OSError):
            height, width = source.one(index).image.shape[:2]
            seen += 1
            wide += width == 2 * height
    return wide, seen
