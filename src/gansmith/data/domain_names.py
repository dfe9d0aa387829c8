"""Matching of images of two domains by name.

Where most names are in both sets, equal names are taken to show one subject: it is held out on both sides or on none,
so that a translation learned without pairs can be scored against true ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gansmith.data.dataset import Indices
from gansmith.data.listing import SUFFIXES
from gansmith.data.source import Source
from gansmith.errors import DataError

_NAMED = 3  # names of each side in a message


def names_of(one: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the images of two domains, from their keys: the path inside the set without the suffix.

    Folders that all images of a set share are left out where that makes more names equal.
    """
    plain = [_stem(key) for key in one], [_stem(key) for key in other]
    inner = _below(plain[0]), _below(plain[1])
    return inner if len({*inner[0]} & {*inner[1]}) > len({*plain[0]} & {*plain[1]}) else plain


def most_are_shared(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether more than half of the names of the smaller set are names of the other too, from the keys of both.

    Running numbers, the keys of images without file names, are no names: number 7 of two sets is not one subject.
    """
    if all(re.fullmatch(r"0|[1-9][0-9]*", key) for key in (*one, *other)):
        return False
    first, second = (set(names) for names in names_of(one, other))
    return 2 * len(first & second) > min(len(first), len(second))


def subjects(one: Sequence[str], other: Sequence[str], *, shared: bool) -> tuple[Indices, Indices]:
    """A number for each name, int64 [A] and [B]: equal names, equal numbers, also across both domains where names are
    `shared`. Numbers rise in the order of the first domain, then of the second.

    >>> [numbers.tolist() for numbers in subjects(["x", "y"], ["z", "y"], shared=True)]
    [[0, 1], [2, 1]]
    """
    numbers: dict[object, int] = {}
    first = [numbers.setdefault(name, len(numbers)) for name in one]
    second = [numbers.setdefault(name if shared else (name,), len(numbers)) for name in other]
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def match(a: Source, b: Source) -> tuple[Indices, Indices, str | None]:
    """(positions in a, positions in b) of images of equal names, in the order of a, and a warning about the others.

    Raises DataError when none match, or when two images of one set have one name.
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
        samples = [f"{source.name}: {_some(source.keys)}" for source in (a, b)]
        raise DataError(
            f"no image of {a.name} has a partner of the same name in {b.name} (suffixes do not matter). "
            f"Names look like\n  " + "\n  ".join(samples)
        )
    alone = [
        [key for key, name in zip(source.keys, own, strict=True) if name not in others]
        for source, own, others in zip((a, b), names, reversed(places), strict=True)
    ]
    counts = [
        f"{len(keys):,} of {source.name} ({_some(keys)})" for source, keys in zip((a, b), alone, strict=True) if keys
    ]
    warning = f"left out images without a partner of the same name: {', '.join(counts)}" if counts else None
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
