"""Starting from what is known: a grown run begins with the coarse stages of its own at 16 px; the table."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

from benchmarks import start_from
from gansmith.runs.folder import checkpoints_of


def test_a_grown_run_begins_with_the_coarse_stages_of_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(start_from, "SETS", {"digits": ("data.fraction=0.1", "data.channels=1", "batch=8")})
    chosen = argparse.Namespace(runs=tmp_path, images=24, images_at="digits", set="digits")
    run = start_from.run_of(chosen, start_from.GROWN, 0, seed=0)
    small = next(path for path in tmp_path.iterdir() if path.name.endswith("-16px"))
    told = "".join(capsys.readouterr())
    assert "generator: 14 of 23 tensors" in told
    drawn = {path: checkpoints_of(path).load()[0]["images"] for path in (run, small)}
    assert drawn[run] == 16  # two thirds of 24
    assert drawn[small] == 16  # a third of 24, each of which costs about half
    states = {path: checkpoints_of(path).load()[0]["players"]["generator"] for path in (run, small)}
    assert states[run]["layers.0.weight"].shape == states[small]["layers.0.weight"].shape
    assert not torch.equal(states[run]["layers.0.weight"], states[small]["layers.0.weight"])  # it was trained on


def test_the_table_has_a_row_for_each_set_and_start() -> None:
    cells = {("hand signs", "grown"): (0.4, 0.6), ("horses", "none"): (1.0,)}
    lines = [
        {"set": name, "start": start, "frozen": 0, "seed": seed, "images": 50_000, "ruler": ruler}
        for (name, start), rulers in cells.items()
        for seed, ruler in enumerate(rulers)
    ]
    assert start_from.table(lines).splitlines()[2:] == [
        "| hand signs | 50,000 | grown | 0 | 0.40, 0.60 | 0.50 |",
        "| horses | 50,000 | none | 0 | 1.00 | 1.00 |",
    ]
