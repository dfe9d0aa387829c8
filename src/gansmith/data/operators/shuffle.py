"""Random permutation of the items, by seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection
from gansmith.system.seeding import mix


def build(dataset: Dataset, *, seed: int) -> Dataset:
    """Every item once. Another epoch takes another seed.

    >>> from gansmith.data.dataset import Listed
    >>> shuffled = build(Listed([1, 2, 3, 4]), seed=0)
    >>> sorted(shuffled) == [1, 2, 3, 4], list(shuffled) == list(build(Listed([1, 2, 3, 4]), seed=0))
    (True, True)
    """
    return Selection(dataset, np.random.default_rng(mix(seed, "shuffle")).permutation(len(dataset)))


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(seed=0)
