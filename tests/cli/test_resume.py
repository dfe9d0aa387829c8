"""`gansmith resume`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

import gansmith
from gansmith import catalog
from gansmith.cli.resume import resume
from gansmith.errors import ExperimentError, RunError, UnknownNameError
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gansmith.train(**{**SMALL, "images": 32}, out=str(tmp_path_factory.mktemp("runs") / "run")).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_to_more_images(run: Path, run_command: Any) -> None:
    result: Result = run_command(resume, run, "--images", "0.064k", "--checkpoint-every", "16", "--device", "cpu")
    assert result.exception is None, result.exception
    assert result.stdout.startswith(f"done: sheets in {run}/samples, their film {run}/progress.webp, the model in ")
    assert f"continuing {run} at 32 images (step 2)" in result.stderr
    assert Run(run).checkpoint()["images"] == 64
    assert Run(run).experiment.checkpoint_every == 16


def test_a_complete_run(run: Path, run_command: Any) -> None:
    result: Result = run_command(resume, run)
    assert result.exit_code == 0
    assert f"{run} is complete at 32 images; to train on: gansmith resume {run} --images N" in result.stderr


def test_images_that_moved(tmp_path: Path, run_command: Any) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    for index, image in enumerate(np.random.default_rng(0).integers(0, 255, (9, 8, 8), dtype=np.uint8)):
        Image.fromarray(image).save(folder / f"{index}.png")
    run = gansmith.train(**{**SMALL, "path": folder, "fraction": 1.0, "images": 16}, out=str(tmp_path / "run"))
    folder.rename(tmp_path / "moved")
    result: Result = run_command(resume, run.path, "--images", "32", "--data", tmp_path / "moved")
    assert result.exception is None, result.exception
    assert run.checkpoint()["images"] == 32


@pytest.mark.parametrize(
    ("place", "options", "error", "said"),
    [
        ("nowhere", [], RunError, "there is no run "),
        ("", [], RunError, "is not a run: it holds neither experiment.yaml nor model files"),
        ("run", ["--images", "x"], ExperimentError, "images = 'x' (arguments) is not allowed: a number of images is"),
        (
            "run",
            ["--images", "0"],
            ExperimentError,
            "images = 0 (arguments) is not allowed: it takes a number of images",
        ),
        (
            "run",
            ["--data", "nowhere"],
            gansmith.GansmithError,
            "are no longer at nowhere. Say where they are",
        ),
        ("run/model", [], RunError, "holds models only, so there is nothing to continue"),
    ],
)
def test_mistakes(place: str, options: list[str], error: type, *, said: str, run: Path, run_command: Any) -> None:
    result: Result = run_command(resume, run.parent / place, *options)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)


def test_a_run_with_code_from_outside_needs_trust(tmp_path: Path, run_command: Any) -> None:
    run = gansmith.train(**{**SMALL, "images": 16, "game": "toys.spoiled"}, out=str(tmp_path / "run"))
    catalog.forget_vouched()
    result: Result = run_command(resume, run.path, "--images", "32")
    assert isinstance(result.exception, UnknownNameError)
    assert "add --trust if you trust the file that names it" in str(result.exception)
    result = run_command(resume, run.path, "--images", "32", "--trust")
    assert result.exception is None, result.exception
    assert run.checkpoint()["images"] == 32
