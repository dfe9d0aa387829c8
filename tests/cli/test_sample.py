"""gansmith sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from gansmith.cli.sample import sample
from gansmith.errors import CheckpointError, GansmithError, OptionError
from gansmith.runs.run import Run

Command = Callable[..., Result]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_sheet(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    result = run_command(sample, models, "--seeds", "0-3,9", "--out", out, "--columns", 5)
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"5 images -> {out}\n"
    sheet = pixels(out)
    assert sheet.shape == (20, 2 + 5 * 18, 3)
    run = Run(models)
    expected = run.sample(seeds=[9], device="cpu")
    np.testing.assert_array_equal(sheet[2:18, 74:90], np.asarray(expected.sheet())[2:18, 2:18])


def test_sixty_four_by_default(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(sample, models, "--out", tmp_path / "grid.png")
    assert pixels(tmp_path / "grid.png").shape == (2 + 8 * 18, 2 + 8 * 18, 3)


@pytest.mark.parametrize("folder", ["each", "each/", "with.dot/"])
def test_a_folder(run_command: Command, models: Path, tmp_path: Path, folder: str) -> None:
    result = run_command(sample, models / "generator.safetensors", "--seeds", "8-10", "--out", f"{tmp_path}/{folder}")
    assert result.stdout == f"3 images -> {tmp_path / folder}/\n"
    assert sorted(file.name for file in (tmp_path / folder).iterdir()) == ["08.png", "09.png", "10.png"]
    assert pixels(tmp_path / folder / "08.png").shape == (16, 16, 3)


def test_a_canvas_and_numbers(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    assert run_command(sample, models, "--seeds", "1", "--canvas", "3x5", "--out", out).exit_code == 0
    plain = pixels(out)
    assert plain.shape == (4 + (4 + 2) * 4, 4 + (4 + 4) * 4, 3)
    arguments = ["--seeds", "1", "--canvas", "3x5", "--out", out, "--numbered", "--force"]
    assert run_command(sample, models, *arguments).exit_code == 0
    assert pixels(out).shape == (plain.shape[0] * 2 - 4, plain.shape[1] * 2 - 4, 3) or (pixels(out) != plain).any()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["--seeds", "x"], OptionError, "seeds are whole numbers and ranges, such as 0-63 or 1,4,9, not 'x'"),
        (["--canvas", "3"], OptionError, "a canvas is height x width in latent cells, such as 3x5, not '3'"),
        (["--canvas", "0x5"], OptionError, "a canvas of 0x5 is not allowed"),
        (["--out", "a.xyz"], OptionError, "cannot write 'a.xyz': an image file ends in .png, .jpg, .jpeg, .webp"),
        (["--columns", "0"], OptionError, "columns = 0 is not allowed: at least 1"),
        (["--raw"], CheckpointError, "holds models only; --raw and --checkpoint need the whole run"),
        (["--checkpoint", "best"], CheckpointError, "holds models only; --raw and --checkpoint need the whole run"),
        (["--device", "gpu"], GansmithError, "gpu"),
    ],
)
def test_errors(
    run_command: Command,
    models: Path,
    arguments: list[str],
    kind: type[GansmithError],
    message: str,
) -> None:
    result = run_command(sample, models, *arguments)
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert {path.name for path in models.parent.iterdir()} == {"model"}  # nothing was written


def test_the_weights_asked_for_reach_the_run(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def renderer(self: Run, **options: object) -> object:
        asked.update(options)
        monkeypatch.undo()
        return Run(models).renderer(device="cpu")

    monkeypatch.setattr(Run, "renderer", renderer)
    options = ["--raw", "--checkpoint", "best", "--device", "cpu", "--out", tmp_path / "a.png"]
    assert run_command(sample, models, *options).exit_code == 0
    assert asked == {"raw": True, "checkpoint": "best", "device": "cpu"}
