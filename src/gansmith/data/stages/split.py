"""The training images and the hold-out of each domain: no group and no subject on both sides."""

from __future__ import annotations

from gansmith.data import holdout
from gansmith.data.holdout import Sides
from gansmith.data.settings import DataSettings
from gansmith.data.stages.values import Grouped


def split(grouped: tuple[Grouped, ...], settings: DataSettings) -> tuple[Sides, ...]:
    """(indices to train on, indices held out) of each domain. Raises DataError where nothing is left to train on."""
    subjects = tuple(domain.subjects for domain in grouped)
    groups = tuple(domain.groups for domain in grouped)
    assert settings.holdout != "auto"  # `with_share` made a number of it
    sides = holdout.split_domains(settings.holdout, subjects, groups, holdout.SEED)
    for (train, _), own in zip(sides, groups, strict=True):
        if not len(train):
            raise holdout.nothing_left(len(own), own)
    return sides
