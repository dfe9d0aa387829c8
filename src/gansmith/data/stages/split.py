"""The training images and the hold-out of each domain: no group and no subject on both sides.

Where the settings say so, no subject is trained on in both domains either: a translation is then learned from images
that have no partner.
"""

from __future__ import annotations

import numpy as np

from gansmith.data import holdout
from gansmith.data.holdout import Indices, Sides
from gansmith.data.settings import DataSettings
from gansmith.data.stages.values import Grouped, Opened
from gansmith.errors import DataError
from gansmith.system.seeding import mix


def split(opened: Opened, grouped: tuple[Grouped, ...], settings: DataSettings) -> tuple[Sides, ...]:
    """(indices to train on, indices held out) of each domain. Raises DataError where nothing is left to train on, and
    for `disjoint` of domains that have no names in common, or whose pairs are to be trained on."""
    subjects = tuple(domain.subjects for domain in grouped)
    groups = tuple(domain.groups for domain in grouped)
    assert settings.holdout != "auto"  # `with_share` made a number of it
    sides = holdout.split_domains(settings.holdout, subjects, groups, holdout.SEED)
    if settings.disjoint:
        sides = _disjoint(opened, sides, subjects, groups)
    for (train, _), own in zip(sides, groups, strict=True):
        if not len(train):
            raise holdout.nothing_left(len(own), own)
    return sides


def _disjoint(
    opened: Opened, sides: tuple[Sides, ...], subjects: tuple[Indices, ...], groups: tuple[Indices, ...]
) -> tuple[Sides, ...]:
    """Of the images to train on, one half of the subjects in the first domain and the other half in the second."""
    if opened.paired or len(sides) != 2 or not np.isin(subjects[0], subjects[1]).any():
        why = "this training reads the pairs" if opened.paired else "no two images here have one name"
        raise DataError(
            f"data.disjoint trains two domains on different ones of their common names, and {why}: leave it out"
        )
    trains = tuple(train for train, _ in sides)
    (keep, _), (_, rest) = holdout.split_domains(
        0.5,
        tuple(own[train] for own, train in zip(subjects, trains, strict=True)),
        tuple(own[train] for own, train in zip(groups, trains, strict=True)),
        mix("disjoint", holdout.SEED),
    )
    return (trains[0][keep], sides[0][1]), (trains[1][rest], sides[1][1])
