"""Cells of projected discriminators: one whole one with a stand-in for the judge, and no judge that was trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benchmarks.defaults import cell as cells
from benchmarks.defaults.cell import Key

from benchmarks import projected
from gansmith.errors import GansmithError
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.backbone import backbone

SMALL = "projected_small generator.width=4 discriminator.width=4 batch=8 discriminator.network=untrained"
KEY = Key("digits", 300, 16, SMALL, 0, 0.1, "float32")
JUDGE = Extractor(
    "vgg",
    "0",
    "means of blocks",
    lambda images: Outputs(torch.nn.functional.adaptive_avg_pool2d(images.float(), 4).flatten(1) / 255),
)


def test_a_cell_is_a_line_and_is_not_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    projected.add(KEY, Path("nowhere"), tmp_path / "sheets", JUDGE, file)
    (line,) = [json.loads(text) for text in file.read_text().splitlines()]
    assert line["candidate"] == SMALL
    assert line["features"].startswith("vgg@0")
    assert line["ruler"] > 0
    assert len(list((tmp_path / "sheets").glob("*.png"))) == 1
    other = replace(KEY, seed=1)
    assert list(projected.missing([KEY, other], file)) == [other]


def test_the_cells_are_two_candidates_on_each_set() -> None:
    all_of_them = list(projected.keys(180, [0]))
    assert len(all_of_them) == len(set(all_of_them)) == len(projected.SETS) * len(projected.CANDIDATES)


def test_a_judge_that_was_trained_on_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.models.projected.backbone", lambda name: backbone("untrained"))
    monkeypatch.setattr("gansmith.models.projected.require", lambda name: None)
    monkeypatch.setattr(cells, "affordable", lambda key, own: 16)
    key = replace(KEY, candidate=SMALL.replace("untrained", "vgg"))
    with pytest.raises(GansmithError, match="features of vgg"):
        projected.add(key, Path("nowhere"), tmp_path, JUDGE, tmp_path / "cells.jsonl")
