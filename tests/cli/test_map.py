"""gansmith map."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

import gansmith
from gansmith.cli.map_ import map_
from gansmith.errors import OptionError, OutputError, RunError
from gansmith.judge.image_map import image_map
from gansmith.judge.map_picture import map_picture
from gansmith.runs.run import Run
from small import SMALL

Command = Callable[..., Result]
CPU = ("--device", "cpu", "--features", "pixels")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return gansmith.train(**{**SMALL, "holdout": 0.2, "images": 64}, out="run")


def test_the_map_is_that_of_the_page(run_command: Command, run: Run) -> None:
    done = run_command(map_, run.path, "--count", 60, *CPU)
    assert done.exit_code == 0, done.exception
    made = image_map(run, count=60, features="pixels", device="cpu")
    with Image.open("map.png") as drawn:
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(map_picture(made)))
    assert f"precision {made.plane.precision:.3f}, recall {made.plane.recall:.3f} -> map.png" in done.stdout
    assert json.dumps(made.notes[0])[1:-1] in done.stdout


def test_errors(run_command: Command, run: Run, models: Path) -> None:
    Path("there.png").write_text("theirs")
    for words, error, fact in (
        ((run.path, "--out", "map.pdf"), OptionError, "map.pdf"),
        ((run.path, "--out", "there.png"), OutputError, "there.png"),
        ((models,), RunError, "model"),
    ):
        result = run_command(map_, *words, "--count", 60, *CPU)
        assert isinstance(result.exception, error), result.exception
        assert fact in str(result.exception)
