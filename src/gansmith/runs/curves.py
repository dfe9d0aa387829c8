"""Curves of a training, drawn from its records: losses, accuracies, variety, metrics, learning rates, over the images.

`curves.svg` in the run folder is drawn anew from all records whenever new ones are written, at most every few seconds.
The report of an audit shows the same drawings.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from gansmith.evaluation.audit import axes, plots
from gansmith.records.meters import MovingAverage
from gansmith.records.recorder import Record
from gansmith.system.files import write_text

FILE = "curves.svg"
_SECONDS = 5.0  # between two drawings of the file
_POINTS = 240  # of a line; of more, means of neighbours are drawn
_WINDOW = 5  # records in the moving average of a long line

_RATE = "learning rate (1e-4)"
# (what the vertical axis shows, the end of a record's name)
_SHARED = (("loss", "/loss"), ("accuracy", "/accuracy"), ("variety of the samples", "spread"))


class Curves:
    """A view of the records that keeps `curves.svg` in `folder`; `past` are the records of a run that is resumed."""

    def __init__(self, folder: Path, past: Iterable[Record] = ()) -> None:
        self.folder = folder
        self._records: list[Record] = list(past)
        self._written = 0.0
        self._drawn = 0  # records that the file shows

    def record(self, record: Record) -> None:
        self._records.append(record)
        if time.monotonic() - self._written >= _SECONDS:
            self._write()

    def close(self) -> None:
        if self._drawn < len(self._records):
            self._write()

    def _write(self) -> None:
        write(self.folder, self._records)
        self._written, self._drawn = time.monotonic(), len(self._records)


def write(folder: Path, records: Sequence[Record]) -> None:
    """`curves.svg` of all `records` in `folder`."""
    write_text(folder / FILE, svg(records))


def svg(records: Sequence[Record]) -> str:
    """All curves of the records, one below the other, as one `<svg>` file."""
    return axes.stacked(list(curves(records).values()), says="Curves of the training")


def curves(records: Sequence[Record]) -> dict[str, str]:
    """{what is shown: an `<svg>` of it over the images}; a drawing that says so where there is no record.

    >>> list(curves([{"images": 64, "generator/loss": 0.7, "discriminator/accuracy": 0.9}]))
    ['loss', 'accuracy']
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    groups: dict[str, list[str]] = {
        title: [name for name in names if name == end or (end[0] == "/" and name.endswith(end))]
        for title, end in _SHARED
    }
    for name in names:
        if name.startswith("metric/") and name.count("/") == 1:
            groups[name.removeprefix("metric/")] = [name]
    groups[_RATE] = [name for name in names if name.endswith("/learning_rate")]
    drawn = {title: _lines(title, members, records) for title, members in groups.items() if members}
    return drawn or {"records": axes.nothing("no record yet")}


def _lines(title: str, names: Sequence[str], records: Sequence[Record]) -> str:
    long = len(records) > 4 * _WINDOW and title != _RATE and not names[0].startswith("metric/")
    unit = 1e4 if title == _RATE else 1.0
    series: dict[str, list[tuple[float, float]]] = {}
    for name in names[: axes.SERIES]:
        numbers = ((record["images"], record.get(name)) for record in records)
        points = [(float(images), unit * value) for images, value in numbers if isinstance(value, (int, float))]
        player = "" if name.startswith("metric/") else name.rpartition("/")[0]
        series[player or title] = _thinned(_smoothed(points) if long else points)
    x = f"images (moving average of {_WINDOW} records)" if long else "images"
    return plots.lines(series, x=x, y=title)


def _smoothed(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    meter = MovingAverage(_WINDOW)
    smooth = []
    for images, value in points:
        meter.add(value)
        smooth.append((images, meter.value()))
    return smooth


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` points: means of as many neighbours as need be."""
    count = -(-len(points) // _POINTS)
    parts = [points[start : start + count] for start in range(0, len(points), max(1, count))]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]
