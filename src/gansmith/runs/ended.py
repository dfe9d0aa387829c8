"""A run with nothing left to train: what it lacks because its process was killed after the last checkpoint is written.

That is a model file that is not of these images, the last sheet, the closing measurement of the metrics, the curves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from gansmith.errors import TrainingInterrupted
from gansmith.experiment.assemble import Assembly
from gansmith.models import saved
from gansmith.records import jsonl
from gansmith.records.recorder import Record
from gansmith.runs import curves
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.sample_sheets import SampleSheets
from gansmith.runs.training_state import model_files, players_in_use
from gansmith.system.console import say
from gansmith.system.paths import shell_word
from gansmith.system.text import printable


def complete_files(folder: Path, parts: Assembly, sheets: SampleSheets, step: int) -> None:
    """Write what the run in `folder` lacks of what its last step, `step`, leaves behind. Raises as PeriodicMetrics
    does where the closing measurement is missing and cannot be taken any more."""
    images, events = parts.stream.drawn, folder / "events.jsonl"
    files = model_files(parts)
    if not all(saved.is_current(folder / "model" / f"{name}.safetensors", images) for name in files):
        saved.save(folder / "model", files)
    sheets.save_missing(images)
    past = [record for record in jsonl.read(events) if record["step"] <= step]
    if parts.experiment.metrics.names and closing_of(past, step) is None:
        metrics = PeriodicMetrics(parts, past)
        record = metrics.measure(players_in_use(parts), step=step, images=images, closing=True)
        jsonl.cut(events, step)  # and a line that was being written
        _append(events, record)
    curves.write(folder, jsonl.read(events))


def complete_words(folder: Path, images: int) -> str:
    """What is said of a run that has trained to its last image."""
    return (
        f"{printable(folder)} is complete at {images:,} images; "
        f"to train on: gansmith resume {shell_word(folder)} --images N"
    )


def stopped_words(folder: Path, images: int, reason: str, *, by_metric: bool) -> str:
    """What is said of a run that its stop rule has ended: the one by a metric, or by the checks."""
    off = "stop.metric=null" if by_metric else "stop.settled=0"
    return (
        f"{printable(folder)} was ended by its stop rule at {images:,} images: {reason}. "
        f"To train on: gansmith resume {shell_word(folder)} --set {off}"
    )


def interrupted(message: str, number: int) -> TrainingInterrupted:
    """What is to be raised where a signal ended the training, once the user was told."""
    say(message)
    return TrainingInterrupted(message, signal=number)


def closing_of(past: Iterable[Mapping[str, Any]], step: int) -> Mapping[str, Any] | None:
    """The closing measurement at `step` among a run's records; None where it has none."""
    measured = (record for record in past if record["step"] == step and "protocol" in record and "look" not in record)
    return next(measured, None)


def _append(events: Path, record: Record) -> None:
    with closing(jsonl.JsonLines(events)) as lines:
        lines.record(record)
