"""Views of a training's records: `events.jsonl`, curves, the terminal, and TensorBoard where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansmith.experiment.schema import Experiment
from gansmith.records import jsonl
from gansmith.runs import curves
from gansmith.runs.time_budget import TimeBudget, terminal


class Views:
    """The views of the run in `folder`, which has the records `past`, with `images` behind; `all` for the recorder."""

    def __init__(
        self,
        folder: Path,
        experiment: Experiment,
        budget: TimeBudget | None,
        past: Sequence[dict[str, Any]],
        images: int,
    ) -> None:
        self._events = jsonl.JsonLines(folder / "events.jsonl")
        self.all: list[Any] = [self._events]
        if experiment.tensorboard:
            from gansmith.records.tensorboard import TensorBoard

            self.all.append(TensorBoard(folder / "tensorboard", begin=images))
        self._curves = curves.Curves(folder, past)
        self.terminal = terminal(budget, images=experiment.images, done=images)
        self.all += [self._curves, self.terminal]

    def move_to(self, folder: Path) -> None:
        """Write into `folder` from here on."""
        self._curves.folder, self._events.path = folder, folder / "events.jsonl"
