"""When sheets are drawn, and that they do not depend on how often a run was stopped."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import gansmith
from gansmith.runs.run import Run
from gansmith.runs.sample_sheets import SampleSheets
from small import SMALL

LONG: dict[str, Any] = {**SMALL, "images": 2080, "samples_every": 2_000, "checkpoint_every": 800}


def sheets(run: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted((run / "samples").glob("*.png"))}


@pytest.mark.parametrize(
    ("every", "marks"),
    [
        (20_000, [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000]),
        (2_000, [100, 200, 500, 1_000, 2_000, 4_000, 6_000]),
        (300, [300, 600, 900, 1_200]),
        (1_000, [100, 500, 1_000, 2_000]),
    ],
)
def test_the_first_sheets_come_early_and_then_at_the_interval(every: int, marks: list[int], tmp_path: Path) -> None:
    parts: Any = SimpleNamespace(experiment=SimpleNamespace(samples_every=every))
    drawn = SampleSheets(tmp_path, parts)
    batch = 64
    due = [now for now in range(batch, marks[-1] + batch, batch) if drawn.due(now - batch, now)]
    assert due == [-(-mark // batch) * batch for mark in marks]  # at the first step that reaches the mark
    assert drawn.due(0, 100_000)  # one sheet, however many marks a step passes


def test_a_resumed_run_draws_the_same_sheets_at_the_same_images(tmp_path: Path) -> None:
    whole = gansmith.train(**LONG, out=str(tmp_path / "whole")).path
    stopped = gansmith.train(**{**LONG, "images": 816}, out=str(tmp_path / "stopped"))
    stopped.resume(images=1_024)
    stopped.resume(images=2_080)
    expected = sheets(whole)
    assert list(expected) == ["000000000", "000000112", "000000208", "000000512", "000001008", "000002000", "000002080"]
    drawn = sheets(stopped.path)
    assert {name: drawn[name] for name in expected} == expected
    assert set(drawn) - set(expected) == {"000000816", "000001024"}  # where it ended before


def test_the_interval_of_a_run_is_the_one_that_it_recorded(tmp_path: Path) -> None:
    run = gansmith.train(**{**LONG, "images": 320}, out=str(tmp_path / "run"))
    assert Run(run.path).experiment.samples_every == 2_000
