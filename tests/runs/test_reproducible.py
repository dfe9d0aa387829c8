"""`reproducible: false` is recorded in the run, cannot be changed on resume, and says that a resumed run differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gansmith
from gansmith.errors import RunError
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "exact"
    gansmith.train(**{**SMALL, "images": 32, "out": str(out)})
    return out


def test_a_run_is_reproducible_unless_it_says_otherwise(run: Path) -> None:
    assert Run(run).experiment.reproducible
    assert Run(run).checkpoint()["experiment"]["reproducible"] is True


def test_an_exact_run_does_not_resume_inexactly(run: Path) -> None:
    with pytest.raises(RunError, match="reproducible: True -> False"):
        Run(run).resume(images=64, reproducible=False)
    with pytest.raises(RunError, match="reproducible: True -> False"):
        gansmith.train(**{**SMALL, "images": 64, "out": str(run), "reproducible": False})
    assert Run(run).checkpoint()["images"] == 32


def test_an_inexact_run_says_so_when_it_is_resumed(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gansmith.train(**{**SMALL, "images": 32, "out": str(tmp_path / "run"), "reproducible": False})
    capsys.readouterr()
    Run(tmp_path / "run").resume(images=64)
    assert "reproducible is false" in capsys.readouterr().err
    shutil.copytree(run, tmp_path / "exact")
    Run(tmp_path / "exact").resume(images=64)
    assert "reproducible" not in capsys.readouterr().err
