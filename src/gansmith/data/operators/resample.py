"""Resampling: items by index, or drawn with replacement by weight (class balancing, bootstrap)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection
from gansmith.errors import OptionError
from gansmith.system.memory import require_memory
from gansmith.system.seeding import mix


def build(
    dataset: Dataset,
    *,
    indices: Sequence[int] | NDArray[np.int64] | None = None,
    weights: Sequence[float] | NDArray[np.float64] | None = None,
    count: int | None = None,
    seed: int | None = None,
) -> Dataset:
    """Item i is item `indices[i]`; or `count` items (as many as there are), each drawn with a chance proportional to
    its weight, from `seed`. Exactly one of `indices` and `weights` is required.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed(["a", "b", "c"]), indices=[2, 0, 2]))
    ['c', 'a', 'c']
    """
    total = len(dataset)
    if (indices is None) == (weights is None):
        raise OptionError("resample takes either indices, or weights with a seed")
    if indices is not None:
        if count is not None or seed is not None:
            raise OptionError("resample by indices draws nothing: count and seed go with weights")
        chosen = np.asarray(indices, dtype=np.int64)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < total):
            raise OptionError(
                f"indices go from 0 to {total - 1} in a dataset of {total}, not from {chosen.min()} to {chosen.max()}"
            )
        return Selection(dataset, chosen)
    chances = np.asarray(weights, dtype=np.float64)
    if chances.shape != (total,) or not np.isfinite(chances).all() or (chances < 0).any() or not chances.sum() > 0:
        raise OptionError(f"weights must be {total} numbers, none below 0 and not all 0, one for each item")
    if seed is None:
        raise OptionError("resample by weights needs a seed")
    if count is not None and count < 1:
        raise OptionError(f"resample needs a count of at least 1, not {count}")
    require_memory(24 * (count or 0), f"resample of count = {count}", "choose a smaller count")
    rng = np.random.default_rng(mix(seed, "resample"))
    return Selection(dataset, rng.choice(total, size=count or total, p=chances / chances.sum()))


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(indices=[3, 3, 0, 7])
