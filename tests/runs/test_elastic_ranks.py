"""A run of two processes by elastic averaging: it saves, measures, goes on to the bit, and in two processes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from trainer_processes import assert_same_end

from gansmith.errors import RunError
from gansmith.runs.run import Run
from ranks import ranks
from small import OPTIONS

ELASTIC = ["engine=elastic", "elastic.period=3", "batch_statistics=local", "metrics.names=kid"]
METRICS = ["metrics.features=pixels", "metrics.every=80", "metrics.samples=100"]
MORE = [*(word for setting in [*ELASTIC, *METRICS] for word in ("--set", setting)), "--no-ruler"]


def by_two(*arguments: Any) -> str:
    with ranks(2, *arguments) as processes:
        said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return said[0]


def test_a_run_of_two_workers(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    by_two("train", *OPTIONS, *MORE, "--out", whole)
    by_two("train", *OPTIONS, *MORE, "--images", "176", "--out", stopped)
    with pytest.raises(RunError, match=r"2 processes with engine=elastic.*not by 1 process: .*--processes 2"):
        Run(stopped).resume(images=320)
    assert "not exactly" not in by_two("resume", stopped, "--images", "320", "--no-ruler")
    assert_same_end(stopped, whole)
    left, right = (Run(path).checkpoint()["workers"] for path in (stopped, whole))
    assert len(left) == len(right) == 2
    for mine, theirs in zip(left, right, strict=True):
        for name, value in mine["players"]["generator"].items():
            assert torch.equal(value, theirs["players"]["generator"][name]), name
    assert "best" in [path.stem for path in (whole / "checkpoints").iterdir()]
