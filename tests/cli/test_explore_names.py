"""`gansmith explore` of a path that is not there: the nearest run, folder of runs or model of the zoo is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gansmith import zoo
from gansmith.cli.main import app
from gansmith.errors import RunError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("demo", "flowers"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "experiment.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"), [("runs/dmeo", "runs/demo"), ("rnus", "runs"), ("emojy", "emoji"), ("runs/qqq", None)]
)
def test_the_nearest_name(folder: Path, typed: str, meant: str | None) -> None:
    error = CliRunner().invoke(app, ["explore", typed, "--no-browser"]).exception
    assert isinstance(error, RunError)
    said = str(error)
    assert typed in said
    assert ("Did you mean" in said) == (meant is not None)
    if meant is not None:
        assert repr(meant) in said
    assert ", ".join(zoo.names()) in said
    if typed.startswith("runs/"):
        assert "runs/demo, runs/flowers" in said
