"""A check of two domains together before training: sizes, shared names, partners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gansmith import catalog
from gansmith.data import domain_names
from gansmith.data.domain_folders import find_domains, training_part
from gansmith.data.holdout import share_held_out
from gansmith.data.open import open_domains
from gansmith.data.settings import DataSettings
from gansmith.data.stages.resolve import resolve
from gansmith.errors import DataError
from gansmith.system.paths import expanded


@dataclass(frozen=True)
class DomainsReport:
    """What `gansmith data check` prints of two domains together. `failure`: why training would stop, or None.

    images   of each domain;  pairs: number of names in both;  shared: whether these are most of the names
    holdout  share of each that training holds out
    """

    name: str
    images: tuple[int, int]
    pairs: int
    shared: bool
    size: tuple[int, int] | None
    channels: int | None
    holdout: float
    notes: tuple[str, ...]
    failure: str | None = None

    def as_text(self) -> str:
        """Some ten lines."""
        rows = [("together", self.name), ("domain a", f"{self.images[0]:,} images")]
        rows.append(("domain b", f"{self.images[1]:,} images"))
        rows.append(("names", f"{self.pairs:,} in both" + (", held out on both sides at once" if self.shared else "")))
        rows.append(("hold-out", f"{100 * self.holdout:.3g} % of each"))
        if self.size:
            rows.append(("train at", f"{self.size[0]}x{self.size[1]}, {self.channels} channel(s)"))
        rows += [("note", note) for note in self.notes]
        rows.append(("verdict", f"training would stop: {self.failure}" if self.failure else "ready to translate"))
        return "\n".join(f"{title:12}{text}" for title, text in rows)


def check_domains(settings: DataSettings, *, paired: bool = False) -> DomainsReport:
    """Whether two domains go together, decoding little. Raises DataError where there are not two."""
    domains = open_domains(settings, paired=paired)
    names = domain_names.names_of(domains.a.keys, domains.b.keys)
    notes, failure = list(domains.notes), None
    try:
        settings = resolve([domains.a, domains.b], settings)
        if paired:
            warning = domain_names.match(domains.a, domains.b)[2]
            notes += [] if warning is None else [warning]
    except DataError as error:
        failure = str(error)
    return DomainsReport(
        name=domains.name,
        images=(len(domains.a), len(domains.b)),
        pairs=len({*names[0]} & {*names[1]}),
        shared=paired or domain_names.most_are_shared(domains.a.keys, domains.b.keys),
        size=settings.size,
        channels=settings.channels,
        holdout=share_held_out(settings.holdout, min(len(domains.a), len(domains.b)), points=domains.a.points),
        notes=tuple(notes),
        failure=failure,
    )


def domain_settings(settings: DataSettings, *, paired: bool = False) -> dict[str, DataSettings]:
    """Settings of each set of a translation, to be checked alone: a and b; `pairs` where one set holds both side by
    side; nothing where `path` holds one domain."""
    place = expanded(settings.path)
    of_both = settings.format in catalog.names("formats", "domains")
    folders = find_domains(place)
    if settings.other is not None:
        paths = {"a": settings.path, "b": settings.other}
    elif folders is not None:
        paths = {"a": str(folders.a), "b": str(folders.b)}
    elif paired or of_both:
        paths = {"pairs": str(training_part(place)[0]) if place.exists() else settings.path}
    else:
        paths = {}
    plain: dict[str, Any] = {
        "other": None,
        **({"format": None, "options": {}} if of_both or settings.other is None else {}),
    }
    return {name: settings.model_copy(update={"path": path, **plain}) for name, path in paths.items()}
