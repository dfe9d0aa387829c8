"""Random split of a dataset into named, disjoint parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection
from gansmith.errors import OptionError
from gansmith.system.seeding import mix


def build(dataset: Dataset, *, shares: Mapping[str, float], seed: int) -> dict[str, Dataset]:
    """`shares={"train": 0.9, "test": 0.1}` -> datasets by name, each in the order of the whole.

    Shares sum to 1; the sizes are theirs, rounded so that they sum to the whole (largest remainders first).

    >>> from gansmith.data.dataset import Listed
    >>> parts = build(Listed(range(10)), shares={"train": 0.8, "test": 0.2}, seed=0)
    >>> len(parts["train"]), len(parts["test"]), sorted([*parts["train"], *parts["test"]]) == list(range(10))
    (8, 2, True)
    """
    if not shares or any(share < 0 for share in shares.values()) or not math.isclose(sum(shares.values()), 1):
        raise OptionError(f"shares must be at least 0 and sum to 1, not {dict(shares)}")
    total = len(dataset)
    exact = np.array([share * total for share in shares.values()])
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    most_missing = np.argsort(sizes - exact, kind="stable")
    sizes[most_missing[: total - sizes.sum()]] += 1
    order = np.random.default_rng(mix(seed, "split")).permutation(total)
    cuts = np.split(order, np.cumsum(sizes)[:-1])
    return {name: Selection(dataset, np.sort(part)) for name, part in zip(shares, cuts, strict=True)}


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(shares={"train": 0.75, "test": 0.25}, seed=0)
