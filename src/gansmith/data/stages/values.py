"""What one stage of preparation hands to the next. Every tuple has one entry, or two: domain a and domain b."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gansmith.data.dataset import Dataset, Indices
from gansmith.data.source import Source


@dataclass(frozen=True)
class Opened:
    """The sources. paired: whether the images of both domains are partners by name;  notes: for the user."""

    sources: tuple[Source, ...]
    name: str
    paired: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """The images that are used.

    positions   int64 [n] in each source; of pairs, partners stand at the same place
    subjects    int64 [n] for each: equal numbers, within a domain or across both, show the same subject
    notes       for the user, those of the stages before included
    """

    positions: tuple[Indices, ...]
    subjects: tuple[Indices, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Images:
    """The readable images of one domain at one size.

    kept     int64 [N], their places among those that were chosen;  labels: int64 [N], or None
    digest   of the content and of what was done to it
    folder   of the cache, where what is computed from these images is stored beside them
    """

    data: Dataset
    keys: tuple[str, ...]
    kept: Indices
    labels: Indices | None
    digest: str
    folder: Path
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Grouped:
    """The images of one domain, and what must stay on one side of the split.

    subjects, groups   int64 [N]: equal numbers, within a domain or across both, are not to be separated
    """

    images: Images
    subjects: Indices
    groups: Indices
