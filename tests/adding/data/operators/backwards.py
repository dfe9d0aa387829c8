"""The same items, last first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection


def build(dataset: Dataset) -> Dataset:
    """Every item once.

    >>> from gansmith.data.dataset import Listed
    >>> list(build(Listed([1, 2, 3])))
    [3, 2, 1]
    """
    return Selection(dataset, np.arange(len(dataset))[::-1])


def example(operator: Callable[[], Dataset]) -> Dataset:
    """The operator, which has no arguments."""
    return operator()
