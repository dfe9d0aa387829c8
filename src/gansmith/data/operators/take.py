"""Subset of the items: the first, or a random subset by seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection
from gansmith.data.subsets import random_subset
from gansmith.errors import OptionError
from gansmith.system.seeding import mix


def build(
    dataset: Dataset, *, count: int | None = None, fraction: float | None = None, seed: int | None = None
) -> Dataset:
    """`count` items, or `fraction` of them (rounded, at least one), in their order: the first, or, with `seed`, a
    random choice without repetition.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed("abcd"), count=2)), len(build(Listed("abcd"), fraction=0.75, seed=0))
    (['a', 'b'], 3)
    """
    total = len(dataset)
    if (count is None) == (fraction is None):
        raise OptionError("take takes either a count or a fraction")
    if fraction is not None:
        if not 0 < fraction <= 1:
            raise OptionError(f"a fraction is above 0 and at most 1, not {fraction}")
        count = min(total, max(1, round(total * fraction)))
    assert count is not None
    if not 1 <= count <= total:
        raise OptionError(f"cannot take {count} of {total} items")
    if seed is None:
        return Selection(dataset, np.arange(count, dtype=np.int64))
    return Selection(dataset, random_subset(total, count, np.random.default_rng(mix(seed, "take"))))


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(fraction=0.5, seed=0)
