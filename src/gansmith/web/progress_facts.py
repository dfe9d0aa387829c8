"""How far a training is, from its records and sheets: one images clock; the rate once it is steady, health once there
are records enough."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gansmith.errors import GansmithError
from gansmith.models import saved
from gansmith.records.health import WINDOW
from gansmith.runs.folder import models_of
from gansmith.web.digests import model_files
from gansmith.web.event_records import Record, number_of

_RECENT = 30.0  # seconds of training over which a rate is a mean
_READ = 1000  # records
_MARKS = 3  # records at least, between which it is measured
_SURE, _ENOUGH = 10.0, 3.0  # seconds after which it is steady; after which it is where both halves agree
_APART = 0.25  # of the rate: how far the halves may be apart
_LONG = 30.0  # seconds of a first record beside which the start of the networks is nothing


def images_drawn(folder: Path, record: Record, sheet: int | None, *, training: bool) -> int:
    """Images drawn, by what the run wrote last: its newest record, or, while it trains, a sheet that was written after
    that; 0 without either. A sheet older than the records is of a training that was taken up again from before it."""
    drawn = int(number_of(record.get("images")) or 0)
    if not training or sheet is None or sheet <= drawn:
        return drawn
    with suppress(OSError):
        events = folder / "events.jsonl"
        written = (folder / "samples" / f"{sheet:09}.png").stat().st_mtime_ns
        if not events.is_file() or written >= events.stat().st_mtime_ns:
            return sheet
    return drawn


def trained_on(path: Path) -> int:
    """Images that the saved model was trained on; 0 without one."""
    with suppress(GansmithError, OSError):
        return max((saved.read_card(file).images for file in model_files(models_of(path))), default=0)
    return 0


def steady_rate(records: Sequence[Record]) -> float | None:
    """Images a second over the last half minute of training; None while there is too little to go by.

    The first record's own time counts only where it is long: it holds the start of the networks.

    >>> rows = [{"images": 100 * n, "seconds": 5.0 + n} for n in range(1, 9)]
    >>> steady_rate(rows[:2]), steady_rate(rows)
    (None, 100.0)
    """
    marks = [
        (float(row["seconds"]), int(row["images"])) for row in records if number_of(row.get("seconds")) is not None
    ]
    if marks and marks[0][0] >= _LONG:
        marks.insert(0, (0.0, 0))
    if len(marks) < 2:
        return None
    end = marks[-1][0]
    recent = next(place for place, mark in enumerate(marks) if mark[0] >= end - _RECENT)
    marks = marks[min(recent, max(0, len(marks) - _MARKS)) :]
    span = end - marks[0][0]
    rate = _between(marks[0], marks[-1])
    if rate is None or (span < _LONG and len(marks) < _MARKS) or span < _ENOUGH:
        return None
    middle = marks[len(marks) // 2]
    halves = [_between(marks[0], middle), _between(middle, marks[-1])]
    agree = all(half is not None and abs(half - rate) <= _APART * rate for half in halves)
    return rate if span >= _SURE or agree else None


def seconds_left(
    records: Sequence[Record], images: int, *, total: int | None, time: float | None = None
) -> float | None:
    """Seconds of training that are left of `total` images, or of the `time` given; None while that is measured."""
    rate = steady_rate(records)
    if total is not None and (rate or images >= total):
        return max(0.0, (total - images) / (rate or 1.0))
    if time is None:
        return None
    gone = next((seconds for row in reversed(records) if (seconds := number_of(row.get("seconds")))), 0.0)
    return max(0.0, time - gone)


def health_of(records: Sequence[Record]) -> str | None:
    """What the newest record says of the training's health, as the terminal does (`records.health`); None where it says
    nothing, and before five records also of a run whose version said something then."""
    timed = [row for row in records if "seconds" in row]
    said: Any = timed[-1].get("health") if len(timed) >= WINDOW else None
    return said if isinstance(said, str) and said else None


def _between(first: tuple[float, int], last: tuple[float, int]) -> float | None:
    seconds = last[0] - first[0]
    return (last[1] - first[1]) / seconds if seconds > 0 and last[1] > first[1] else None
