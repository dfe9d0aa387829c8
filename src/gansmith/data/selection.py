"""Selection of items of a dataset by index: the result of shuffle, split, take and resample."""

from __future__ import annotations

from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset, Indices


class Selection(Dataset):
    """Item i is item `indices[i]` of `dataset`. A selection of a selection takes one indexing, not two."""

    def __init__(self, dataset: Dataset, indices: Indices) -> None:
        self.dataset: Dataset = dataset
        self.indices: Indices = np.asarray(indices, dtype=np.int64)
        if isinstance(dataset, Selection):
            self.dataset, self.indices = dataset.dataset, dataset.indices[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def one(self, index: int) -> Any:
        return self.dataset.one(int(self.indices[index]))

    def many(self, indices: Indices) -> Any:
        return self.dataset.many(self.indices[indices])
