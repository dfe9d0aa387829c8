"""The same items in an order drawn from a seed."""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.selection import Selection
from gansmith.system.seeding import mix


def build(dataset: Dataset, *, seed: int) -> Dataset:
    """Every item once. For another order in another epoch, another seed."""
    return Selection(dataset, np.random.default_rng(mix(seed, "shuffle")).permutation(len(dataset)))
