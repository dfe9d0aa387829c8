"""What must stay on one side of the split, by the rule of the hold-out: near-duplicates, classes, names."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from gansmith.data import group_files, holdout
from gansmith.data.dataset import Indices
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.values import Chosen, Grouped, Images, Opened


def group(opened: Opened, chosen: Chosen, images: tuple[Images, ...], settings: DataSettings) -> tuple[Grouped, ...]:
    """Groups of near-duplicates and of files lie within one domain; those of classes and names over both.

    Two points may be near each other and are still two draws: each is a group of its own, as is every image where
    nothing is held out.
    """
    counts = [len(domain.data) for domain in images]
    if opened.sources[0].points or not settings.holdout:
        groups = _consecutive([np.arange(count, dtype=np.int64) for count in counts])
    elif settings.holdout_by in ("similar", "file"):
        groups = _consecutive([_within(domain, settings) for domain in images])
    else:
        keys = [key for domain in images for key in domain.keys]
        over_all = holdout.groups_by(settings.holdout_by, keys=keys, labels=_labels_over_all(opened.sources, images))
        groups = np.split(over_all, list(accumulate(counts[:-1])))
    return tuple(
        Grouped(domain, subjects[domain.kept], own)
        for domain, subjects, own in zip(images, chosen.subjects, groups, strict=True)
    )


def _within(images: Images, settings: DataSettings) -> Indices:
    return holdout.groups_by(
        settings.holdout_by,
        keys=images.keys,
        similar=lambda: group_files.similar_groups(images.data, images.folder, flips=settings.flip),
    )


def _consecutive(groups: list[Indices]) -> list[Indices]:
    """The group numbers of each domain moved behind those of the domain before."""
    result: list[Indices] = []
    for own in groups:
        result.append(own + result[-1].max() + 1 if result else own)
    return result


def _labels_over_all(sources: tuple[Source, ...], images: tuple[Images, ...]) -> Indices | None:
    """One number for each class name over all domains, for each image, int64; None where a domain has no labels."""
    numbers: dict[str, int] = {}
    parts: list[Indices] = []
    for source, domain in zip(sources, images, strict=True):
        if domain.labels is None:
            return None
        count = int(domain.labels.max(initial=-1)) + 1
        names = source.classes or tuple(str(label) for label in range(count))
        table = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
        parts.append(table[domain.labels])
    return np.concatenate(parts)
