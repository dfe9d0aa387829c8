"""Which images are used: the settings' share of them; of pairs, those that have a partner."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

import numpy as np

from gansmith.data import domain_names
from gansmith.data.dataset import Indices, Listed
from gansmith.data.holdout import SEED
from gansmith.data.settings import DataSettings
from gansmith.data.stages.values import Chosen, Opened
from gansmith.errors import DataError


def choose(opened: Opened, settings: DataSettings) -> Chosen:
    """The share `settings.fraction`, drawn by a fixed seed: of the images, of the pairs, or, where two domains without
    pairs share most of their names, of the names, so that equal names stay together.

    Raises DataError for pairs that do not match, and for a share that leaves nothing of one domain.
    """
    fraction = settings.fraction
    if len(opened.sources) == 1:
        positions = share_of(len(opened.sources[0]), fraction)
        return Chosen((positions,), (positions,), opened.notes)
    a, b = opened.sources
    if opened.paired:
        partners_a, partners_b, warning = domain_names.match(a, b)
        pairs = share_of(len(partners_a), fraction)
        notes = opened.notes if warning is None else (*opened.notes, warning)
        return Chosen((partners_a[pairs], partners_b[pairs]), (pairs, pairs), notes)
    shared = domain_names.most_are_shared(a.keys, b.keys)
    subjects = domain_names.subjects(*domain_names.names_of(a.keys, b.keys), shared=shared)
    if shared:
        used = share_of(int(max(numbers.max() for numbers in subjects)) + 1, fraction)
        chosen = tuple(np.flatnonzero(np.isin(numbers, used)) for numbers in subjects)
    else:
        chosen = tuple(share_of(len(numbers), fraction) for numbers in subjects)
    if not all(len(positions) for positions in chosen):
        raise DataError(f"a fraction of {fraction} leaves no image of one domain of {opened.name}; take more")
    used_subjects = tuple(numbers[positions] for numbers, positions in zip(subjects, chosen, strict=True))
    return Chosen(chosen, used_subjects, opened.notes)


def share_of(count: int, fraction: float) -> Indices:
    """Positions int64, ascending, of a share of `count` images: drawn, the same every time.

    Raises DataError for a share of less than half an image.

    >>> share_of(3, 1.0).tolist(), len(share_of(10, 0.5))
    ([0, 1, 2], 5)
    """
    if fraction == 1:
        return np.arange(count, dtype=np.int64)
    if round(count * fraction) < 1 <= count:
        raise DataError(
            f"a fraction of {fraction} of {count:,} images leaves none: give at least {_share_of_one(count)}, which is "
            f"one image"
        )
    positions: Indices = Listed(range(count)).take(fraction=fraction, seed=SEED).indices
    return positions


def _share_of_one(count: int) -> str:
    """1 / `count` with three digits, rounded up."""
    least = Decimal(1) / count
    return f"{least.quantize(Decimal(1).scaleb(least.adjusted() - 2), ROUND_UP).normalize():f}"
