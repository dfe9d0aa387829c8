"""What the end of a training says, on a run of digits, with and without features on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gansmith
from gansmith.errors import OptionError
from gansmith.evaluation.features import pixels
from gansmith.judge import ruler_at_the_end as module
from gansmith.judge.end_of_training import INSTALL, end_of_training
from gansmith.judge.ruler_at_the_end import TooSlowError, ruler_at_the_end
from small import SMALL

STAND_IN = replace(pixels.build(device="cpu"), name="stand-in")  # for a network's features


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fields: dict[str, Any] = {**SMALL, "size": 16, "fraction": 1.0, "holdout": 0.1}
    return gansmith.train(**fields, out=str(tmp_path_factory.mktemp("runs") / "run")).path


def test_without_features_one_line_says_how_to_get_them(run: Path) -> None:
    lines = end_of_training(run)
    assert lines[0].startswith("how good: not measured")
    assert lines[0].endswith(INSTALL)
    assert lines[1] == f"look at: {run}/samples/000000320.png"
    assert lines[2].startswith("next: ")
    assert f"gansmith resume {run} --images 640" in lines[2]
    assert len(lines) == 3


def test_with_features_the_place_on_the_ruler_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "extractor_here", lambda: STAND_IN)
    measured = ruler_at_the_end(run, seconds=300)
    assert measured.samples >= 64
    assert measured.ruler is not None
    said = " ".join(end_of_training(run, seconds=300)[0].split())
    assert f"{measured.ruler.samples.value:.2f}" in said


def test_no_time_is_said_and_not_taken(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "extractor_here", lambda: STAND_IN)
    with pytest.raises(TooSlowError):
        ruler_at_the_end(run, seconds=0.0)
    lines = end_of_training(run, seconds=0.0)
    assert f"gansmith evaluate {run} --quick" in lines[0]
    assert lines[-1].startswith("next: ")


def test_a_missing_file_of_weights_is_an_option_error() -> None:
    with pytest.raises(OptionError):
        module.extractor_here()
