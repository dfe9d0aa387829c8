"""The last stage: datasets, digest and warnings of both sides of the split."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from gansmith.data.crop import MiddleCrop
from gansmith.data.holdout import ENOUGH, Sides
from gansmith.data.prepared import Prepared
from gansmith.data.selection import Selection
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.values import Chosen, Grouped, Images, Opened
from gansmith.system.text import printable

FEW = 500  # images: training on fewer comes with a warning


def result(
    opened: Opened, chosen: Chosen, grouped: tuple[Grouped, ...], sides: tuple[Sides, ...], settings: DataSettings
) -> Prepared:
    """The prepared domain; of two, domain a with b as its `other`, under one name, one digest and all warnings."""
    domains = [
        _domain(source, domain.images, train, held_out, settings)
        for source, domain, (train, held_out) in zip(opened.sources, grouped, sides, strict=True)
    ]
    if len(domains) == 1:
        return replace(domains[0], warnings=(*chosen.notes, *domains[0].warnings))
    a, b = domains
    warnings = list(chosen.notes)
    for letter, domain in (("a", a), ("b", b)):
        warnings += [f"domain {letter}, {domain.name}: {warning}" for warning in domain.warnings]
    digest = hashlib.blake2b(f"{a.digest} {b.digest} {opened.paired}".encode(), digest_size=16).hexdigest()
    return replace(a, other=b, paired=opened.paired, digest=digest, name=opened.name, warnings=tuple(warnings))


def _domain(
    source: Source, images: Images, train: np.ndarray, held_out: np.ndarray, settings: DataSettings
) -> Prepared:
    whole = images.data
    data = whole if settings.load_size is None else MiddleCrop(whole, settings.size or settings.load_size)
    height, width, channels = data.one(0).image.shape
    cropped = "" if settings.load_size is None else f"{height}x{width}"
    frequencies: tuple[int, ...] = ()
    if images.labels is not None and source.classes is not None:
        frequencies = tuple(np.bincount(images.labels[train], minlength=len(source.classes)).tolist())
    return Prepared(
        train=Selection(data, train),
        larger=None if settings.load_size is None else Selection(whole, train),
        holdout=Selection(data, held_out) if len(held_out) else None,
        shape=(channels, height, width),
        classes=source.classes,
        labelled=images.labels is not None,
        count=len(images.data),
        keys=images.keys,
        holdout_indices=held_out,
        digest=hashlib.blake2b(f"{images.digest}{cropped}".encode() + train.tobytes(), digest_size=16).hexdigest(),
        name=source.name,
        points=source.points,
        settings=settings,
        warnings=(
            *images.warnings,
            *_warnings(source, len(images.data), len(held_out), settings),
            *(_without_images(source, images, frequencies) if settings.holdout_by in ("similar", "file") else ()),
        ),
        frequencies=frequencies,
    )


def _without_images(source: Source, images: Images, frequencies: tuple[int, ...]) -> list[str]:
    """A warning about classes of which every image is held out, or could not be read."""
    missing = [name for name, count in zip(source.classes or (), frequencies, strict=False) if not count]
    if not missing or images.labels is None:
        return []
    listed = ", ".join(printable(name) for name in missing[:3]) + (" ..." if len(missing) > 3 else "")
    return [
        f"no image to train on is left of {len(missing):,} class{'es' * (len(missing) > 1)} ({listed}): all are held "
        f"out or cannot be read. --holdout 0 keeps every image for training"
    ]


def _warnings(source: Source, count: int, held_out: int, settings: DataSettings) -> list[str]:
    warnings = []
    if count < FEW and not source.points:
        warnings.append(
            f"only {count:,} image{'' if count == 1 else 's'}: a network memorises so few, and what it generates may "
            f"be copies of them"
        )
    assert settings.holdout != "auto"  # `with_share` made a number of it
    wanted = settings.holdout * count
    if count >= ENOUGH and not wanted / 2 <= held_out <= 2 * max(wanted, 1):
        warnings.append(
            f"{held_out:,} of {count:,} images are held out where {wanted:,.0f} were asked for: the groups that must "
            f"stay together ({settings.holdout_by}) allow no better"
        )
    return warnings
