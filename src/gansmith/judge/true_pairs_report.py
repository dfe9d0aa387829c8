"""The distances of translations from the true images, as a record, as text, and as a sheet of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gansmith import __version__
from gansmith.data.subsets import evenly_spaced
from gansmith.evaluation.activations import to_input
from gansmith.evaluation.types import Images, Number
from gansmith.records.images import draw_sheet, save_image

SHOWN = 12  # pairs on the sheet


@dataclass(frozen=True)
class Likeness:
    """Distances of translations from the true images.

    numbers   [way][metric]: of `untouched`, `colour transfer` and each run
    nearer    [run][way][metric]: how much nearer the run comes than the way (above zero: nearer), pair by pair
    features  what measured LPIPS, None where nothing did;  notes  for the user
    Intervals are None where too few pairs are independent.
    """

    numbers: dict[str, dict[str, Number]]
    nearer: dict[str, dict[str, dict[str, Number]]]
    pairs: int
    clusters: int
    to: str
    data: str
    features: str | None
    folder: Path
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The content of true_pairs.json."""
        return {
            "gansmith": __version__,
            "data": self.data,
            "to": self.to,
            "pairs": self.pairs,
            "clusters": self.clusters,
            "lpips": self.features,
            "distance": {way: {name: n.record() for name, n in row.items()} for way, row in self.numbers.items()},
            "nearer": {
                run: {way: {name: n.record() for name, n in row.items()} for way, row in ways.items()}
                for run, ways in self.nearer.items()
            },
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """A line for each way, nearest by the last metric first, then what each run gains."""
        metrics = list(next(iter(self.numbers.values())))
        order = sorted(self.numbers, key=lambda way: self.numbers[way][metrics[-1]].value)
        width = max(map(len, order))
        lines = [f"{self.pairs} true pairs held out, {self.clusters} independent, translated to {self.to}: {self.data}"]
        lines += [
            f"{way:{width}}  " + "   ".join(f"{name} {_with_interval(self.numbers[way][name])}" for name in metrics)
            for way in order
        ]
        for run, ways in self.nearer.items():
            for way, row in ways.items():
                lines.append(f"{run} against {way}: " + ", ".join(f"{name} {gain(n)}" for name, n in row.items()))
        return "\n".join(lines)


def gain(number: Number) -> str:
    """A difference in words: nearer, or farther where it is negative; not clear where its interval holds 0."""
    value, low, high = number.value, number.low, number.high
    if value < 0:
        value, low, high = -value, *(None if end is None else -end for end in (high, low))
    undecided = low is not None and high is not None and low <= 0 <= high
    direction = "farther" if number.value < 0 else "nearer"
    return f"{direction} by {_with_interval(Number(value, low, high))}" + (", not clear" if undecided else "")


def save_sheet(
    source: Images, true: Images, ways: Mapping[str, Sequence[Images]], path: Path, *, replace: bool = True
) -> None:
    """A row for each of at most SHOWN pairs: the input, its translation by each way (one style), the true image.

    replace: as for `system.files.atomic`.
    """
    indices = evenly_spaced(len(true), SHOWN)
    columns = [images[0] for images in ways.values()] + [true]
    rows = np.stack([column[index] for index in indices for column in columns])
    labels = tuple([*ways, "true"] + [""] * (len(rows) - len(columns)))
    save_image(draw_sheet(to_input(rows), columns=len(columns), labels=labels), path, replace=replace)


def _with_interval(number: Number) -> str:
    if number.low is None or number.high is None:
        return f"{number.value:.4f}"
    return f"{number.value:.4f} [{number.low:.4f}, {number.high:.4f}]"
