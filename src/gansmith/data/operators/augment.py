"""Random augmentation of every item, independent of the order and of the number of workers."""

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
    """Item i is `function(item i, rng)` (or only `field` of it), `rng` seeded by (seed, epoch, i) and nothing else.

    >>> from gansmith.data.dataset import Listed
    >>> noisy = build(Listed([10, 20]), lambda item, rng: item + int(rng.integers(3)), seed=0)
    >>> noisy[1] == noisy[1], 10 <= noisy[0] <= 12
    (True, True)
    """
    return Augmented(dataset, function, seed, epoch, field)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(_flip_at_random, seed=0, field="image")


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


def _flip_at_random(image: Any, rng: np.random.Generator) -> Any:
    return image[:, ::-1] if rng.random() < 0.5 else image
