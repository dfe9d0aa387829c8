"""Elements of a list mapped by a function when they are asked for: paths to images, for example.

torchnet's ListDataset with its `load` function (Collobert, van der Maaten, Joulin 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gansmith.data.dataset import Dataset, Listed


def build(dataset: Dataset | Sequence[Any], function: Callable[[Any], Any]) -> Dataset:
    """Item i is `function(element i)`, called each time it is asked for, never ahead.

    >>> lengths = build(["a", "bcd"], len)
    >>> len(lengths), lengths[1]
    (2, 3)
    """
    return Loaded(dataset if isinstance(dataset, Dataset) else Listed(dataset), function)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(tuple)


class Loaded(Dataset):
    """See `build`."""

    def __init__(self, dataset: Dataset, function: Callable[[Any], Any]) -> None:
        self.dataset, self.function = dataset, function

    def __len__(self) -> int:
        return len(self.dataset)

    def one(self, index: int) -> Any:
        return self.function(self.dataset.one(index))
