"""A random function applied to every item, the same whatever the order and however many workers there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fields import change
from gansmith.system.seeding import mix


def build(
    dataset: Dataset,
    function: Callable[[Any, np.random.Generator], Any],
    *,
    seed: int,
    epoch: int = 0,
    field: str | int | None = None,
) -> Dataset:
    """Item i is `function(item i, rng)` (or only `field` of it), `rng` seeded by (seed, epoch, i) and nothing else."""
    return Augmented(dataset, function, seed, epoch, field)


class Augmented(Dataset):
    """See `build`."""

    def __init__(
        self,
        dataset: Dataset,
        function: Callable[[Any, np.random.Generator], Any],
        seed: int,
        epoch: int,
        field: str | int | None,
    ) -> None:
        self.dataset, self.function, self.field = dataset, function, field
        self.seed, self.epoch = seed, epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def one(self, index: int) -> Any:
        rng = np.random.default_rng(mix(self.seed, self.epoch, index))
        return change(self.dataset.one(index), self.field, lambda value: self.function(value, rng))
