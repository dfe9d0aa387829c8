"""Preparation of the images, from settings to what the stream reads: one pipeline for one domain and for two.

    open -> resolve size and channels -> choose (share, partners) -> read (decode, resize, cache)
         -> group near-duplicates -> keep complete pairs -> resolve the share held out -> split -> result

Each stage is a file in `stages/`, whose function takes the values of earlier stages (`stages/values.py`) and returns
its own; no stage calls another. Nothing is random but by fixed seeds: the same settings over the same files give the
same images on the same side, whatever the seed of the training.
"""

from __future__ import annotations

from gansmith.data.open import open_both, open_one
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.stages.choose import choose
from gansmith.data.stages.complete import keep_complete_pairs
from gansmith.data.stages.group import group
from gansmith.data.stages.read import read
from gansmith.data.stages.resolve import resolve
from gansmith.data.stages.result import result
from gansmith.data.stages.share import with_share
from gansmith.data.stages.split import split
from gansmith.data.stages.values import Opened


def prepare(settings: DataSettings, *, workers: int | None = None) -> Prepared:
    """One domain, prepared. `workers` processes decode; None: as many as help.

    Raises DataError for a set that is missing, empty or unreadable, or of which the hold-out leaves nothing.

    >>> data = prepare(DataSettings(path="ring", options={"count": 100}, holdout=0.1))
    >>> len(data.train), len(data.holdout_indices), data.shape
    (90, 10, (2, 1, 1))
    """
    return _pipeline(open_one(settings), settings, workers)


def prepare_domains(settings: DataSettings, *, paired: bool = False, workers: int | None = None) -> Prepared:
    """Both domains of a translation: domain a, with domain b as its `other`, under one digest.

    paired: image i of domain a is the partner of image i of domain b.
    Raises DataError as `prepare` does, and for sets that do not go together.

    >>> data = prepare_domains(DataSettings(path="ring", other="grid", options={"count": 100}, holdout=0.1))
    >>> data.name, len(data.train), len(data.other.train)
    ('ring | grid', 90, 90)
    """
    return _pipeline(open_both(settings, paired=paired), settings, workers)


def _pipeline(opened: Opened, settings: DataSettings, workers: int | None) -> Prepared:
    """The stages after opening, in order."""
    settings = resolve(opened.sources, settings)
    chosen = choose(opened, settings)
    images = read(opened, chosen, settings, workers=workers)
    grouped = group(opened, chosen, images, settings)
    complete = keep_complete_pairs(opened, grouped)
    settings = with_share(complete, settings, points=opened.sources[0].points)
    sides = split(opened, complete, settings)
    return result(opened, chosen, complete, sides, settings)
