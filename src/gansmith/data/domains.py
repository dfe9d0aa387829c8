"""Two domains for a translation, prepared as one: one size, one number of channels, one hold-out over both.

Where most names are in both sets, equal names are taken to show one thing: it is held out on both sides or on none, so
that a translation learned without pairs can be scored against true ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.data import holdout, pairs
from gansmith.data.open import open_domains
from gansmith.data.pairs import Domains
from gansmith.data.prepare import SEED, Pixels, Prepared, divided, groups_of, pixels_of, resolve_over, share_of
from gansmith.data.selection import Selection
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.errors import DataError

Indices = NDArray[np.int64]
Both = tuple[Indices, Indices]


def prepare_domains(
    settings: DataSettings, *, paired: bool = False, workers: int | None = None, trust: bool = False
) -> Prepared:
    """Domain a, with domain b as its `other`. paired: picture i of one side is the partner of picture i of the other.

    The digest is of both. Raises DataError as `prepare` does, and for sets that do not go together.
    """
    found = open_domains(settings, paired=paired, trust=trust)
    if found.a.points != found.b.points:
        raise DataError(f"{found.name}: one is a set of points and the other of images; both must be of one kind")
    settings = resolve_over([found.a, found.b], settings)
    taken, number, warnings = _taken(found, settings, paired=paired)
    one, other = (
        pixels_of(source, settings, workers=workers, taken=some)
        for source, some in zip((found.a, found.b), taken, strict=True)
    )
    groups = _groups(found, (one, other), settings)
    if paired:
        both, first, second = np.intersect1d(one.kept, other.kept, return_indices=True)
        if not len(both):
            raise DataError(f"{found.name}: there is no pair of which both pictures can be read")
        one, other, number = _only(one, first), _only(other, second), (both, both)
        groups = groups[0][first], groups[1][second]
    else:
        number = number[0][one.kept], number[1][other.kept]
    (kept_a, held_a), (kept_b, held_b) = holdout.split_both(settings.holdout, number, groups, SEED)
    for pixels, kept, own in zip((one, other), (kept_a, kept_b), groups, strict=True):
        if not len(kept):
            raise holdout.nothing_left(len(pixels.data), own)
    a = divided(found.a, settings, one, kept_a, held_a)
    b = divided(found.b, settings, other, kept_b, held_b)
    for letter, side in (("a", a), ("b", b)):
        warnings += [f"domain {letter}, {side.name}: {warning}" for warning in side.warnings]
    digest = hashlib.blake2b(f"{a.digest} {b.digest} {paired}".encode(), digest_size=16).hexdigest()
    return replace(a, other=b, paired=paired, digest=digest, name=found.name, warnings=tuple(warnings))


def holdout_pairs(prepared: Prepared) -> Both:
    """(positions in a's hold-out, positions in b's) of true pairs: what bears one name in both, int64 [P] each.

    Empty where nothing is held out, or where the sets do not share most of their names.
    """
    other = prepared.other
    if other is None:
        raise DataError(f"{prepared.name} is one set of images: it has no pairs")
    held = prepared.holdout_indices, other.holdout_indices
    if prepared.paired:
        return np.arange(len(held[0]), dtype=np.int64), np.arange(len(held[1]), dtype=np.int64)
    if not pairs.most_are_shared(prepared.keys, other.keys):
        return held[0][:0], held[1][:0]
    number = pairs.things(*pairs.names_of(prepared.keys, other.keys), shared=True)
    _, first, second = np.intersect1d(number[0][held[0]], number[1][held[1]], return_indices=True)
    return first.astype(np.int64), second.astype(np.int64)


@dataclass(frozen=True)
class Together:
    """What `gansmith data check` says of two domains as one: `failure` says why training would stop, or is None.

    images   of each domain;  pairs: how many names are in both;  shared: are these most of them?
    """

    name: str
    images: tuple[int, int]
    pairs: int
    shared: bool
    size: tuple[int, int] | None
    channels: int | None
    notes: tuple[str, ...]
    failure: str | None = None

    def as_text(self) -> str:
        """Some ten lines."""
        rows = [("together", self.name), ("domain a", f"{self.images[0]:,} images")]
        rows.append(("domain b", f"{self.images[1]:,} images"))
        rows.append(("names", f"{self.pairs:,} in both" + (", held out on both sides at once" if self.shared else "")))
        if self.size:
            rows.append(("train at", f"{self.size[0]}x{self.size[1]}, {self.channels} channel(s)"))
        rows += [("note", note) for note in self.notes]
        rows.append(("verdict", f"training would stop: {self.failure}" if self.failure else "ready to translate"))
        return "\n".join(f"{title:12}{text}" for title, text in rows)


def look(settings: DataSettings, *, paired: bool = False, trust: bool = False) -> Together:
    """Whether two domains go together, decoding little. Raises DataError where there are not two."""
    found = open_domains(settings, paired=paired, trust=trust)
    names = pairs.names_of(found.a.keys, found.b.keys)
    notes, failure = list(found.notes), None
    try:
        settings = resolve_over([found.a, found.b], settings)
        if paired:
            warning = pairs.match(found.a, found.b)[2]
            notes += [] if warning is None else [warning]
    except DataError as error:
        failure = str(error)
    return Together(
        name=found.name,
        images=(len(found.a), len(found.b)),
        pairs=len({*names[0]} & {*names[1]}),
        shared=paired or pairs.most_are_shared(found.a.keys, found.b.keys),
        size=settings.size,
        channels=settings.channels,
        notes=tuple(notes),
        failure=failure,
    )


def sides(settings: DataSettings, *, paired: bool = False) -> dict[str, DataSettings]:
    """The sets of which a translation is made, each to be looked at alone: a and b; `pairs` where one set holds both
    side by side; nothing where `path` holds one domain."""
    place = Path(settings.path).expanduser()
    of_both = settings.format in catalog.names("formats", "domains")
    found = pairs.halves(place)
    if settings.other is not None:
        paths = {"a": settings.path, "b": settings.other}
    elif found is not None:
        paths = {"a": str(found.a), "b": str(found.b)}
    elif paired or of_both:
        paths = {"pairs": str(pairs.to_train_on(place)[0]) if place.exists() else settings.path}
    else:
        paths = {}
    plain: dict[str, Any] = {
        "other": None,
        **({"format": None, "options": {}} if of_both or settings.other is None else {}),
    }
    return {name: settings.model_copy(update={"path": path, **plain}) for name, path in paths.items()}


def _taken(found: Domains, settings: DataSettings, *, paired: bool) -> tuple[Both, Both, list[str]]:
    """Which pictures of each domain are used (in the order of their pairs, where they have partners), for each of these
    the number of the thing that it shows, and what the user should hear."""
    warnings = list(found.notes)
    if paired:
        a, b, warning = pairs.match(found.a, found.b)
        warnings += [] if warning is None else [warning]
        some = share_of(len(a), settings.fraction)
        return (a[some], b[some]), (some, some), warnings
    shared = pairs.most_are_shared(found.a.keys, found.b.keys)
    numbers = pairs.things(*pairs.names_of(found.a.keys, found.b.keys), shared=shared)
    if shared:  # a share of the things, so that partners stay
        some = share_of(int(max(number.max() for number in numbers)) + 1, settings.fraction)
        taken = [np.flatnonzero(np.isin(number, some)) for number in numbers]
    else:
        taken = [share_of(len(number), settings.fraction) for number in numbers]
    if not all(len(part) for part in taken):
        raise DataError(f"a fraction of {settings.fraction} leaves no picture of one domain of {found.name}; take more")
    return (taken[0], taken[1]), (numbers[0][taken[0]], numbers[1][taken[1]]), warnings


def _groups(found: Domains, pixels: tuple[Pixels, Pixels], settings: DataSettings) -> Both:
    """What must stay together: near-duplicates within each domain; classes and matches of a name over both."""
    first, second = (len(side.data) for side in pixels)
    if found.a.points or not settings.holdout:
        return np.arange(first, dtype=np.int64), np.arange(first, first + second, dtype=np.int64)
    if settings.holdout_by in ("similar", "file"):
        own, others = (groups_of(side, settings) for side in pixels)
        return own, others + own.max() + 1
    words = [_classes(source, side.labels) for source, side in zip((found.a, found.b), pixels, strict=True)]
    labels = None if None in words else np.unique([*(words[0] or ()), *(words[1] or ())], return_inverse=True)[1]
    both = holdout.groups_by(settings.holdout_by, keys=[*pixels[0].keys, *pixels[1].keys], labels=labels)
    return both[:first], both[first:]


def _classes(source: Source, labels: Indices | None) -> list[str] | None:
    if labels is None:
        return None
    return [source.classes[label] if source.classes else str(label) for label in labels.tolist()]


def _only(pixels: Pixels, chosen: Indices) -> Pixels:
    if len(chosen) == len(pixels.data):
        return pixels
    return replace(
        pixels,
        data=Selection(pixels.data, chosen),
        keys=tuple(pixels.keys[index] for index in chosen.tolist()),
        kept=pixels.kept[chosen],
        labels=None if pixels.labels is None else pixels.labels[chosen],
        digest=hashlib.blake2b(pixels.digest.encode() + chosen.tobytes(), digest_size=16).hexdigest(),
    )
