"""gansmith look-inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import Result

from gansmith.cli.look_inside import look_inside
from gansmith.errors import OptionError, OutputError, UnknownNameError

Command = Callable[..., Result]
SHORT = ("--steps", "2", "--images", "20", "--channels", "2", "--device", "cpu")


def test_the_sheets(run_command: Command, models: Path) -> None:
    result = run_command(look_inside, models, "--against", "digits", *SHORT)
    assert result.exit_code == 0, result.exception
    written = [line.rpartition(" -> ")[2] for line in result.stdout.splitlines()]
    assert written == ["inside/maps.png", "inside/switched_off.png", "inside/units.png"]
    for file in written:
        with Image.open(file) as sheet:
            assert min(sheet.size) > 50
    again = run_command(look_inside, models, *SHORT)
    assert "inside" in again.stderr
    assert "by ascent alone" in again.stderr
    assert Path("inside-2/units.png").is_file()


def test_the_layers_are_listed_and_nothing_is_written(run_command: Command, models: Path) -> None:
    result = run_command(look_inside, models, "--layers", "--device", "cpu")
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    assert any(line.startswith("* generator.layers.2 (ReLU): ") for line in lines)
    assert any(line.startswith("  discriminator.layers.0 (Conv2d): ") for line in lines)
    assert not Path("inside").exists()


def test_one_layer(run_command: Command, models: Path) -> None:
    result = run_command(look_inside, models, "--layer", "generator.layers.2", "--seeds", "3-4", "--out", "a", *SHORT)
    assert result.exit_code == 0, result.exception
    assert sorted(path.name for path in Path("a").iterdir()) == ["maps.png", "switched_off.png"]


@pytest.mark.parametrize(
    ("arguments", "error", "fact"),
    [
        (["--layer", "generator.layer.2"], UnknownNameError, "layers.2"),
        (["--layer", "2"], OptionError, "generator."),
        (["--seeds", "b"], OptionError, "b"),
        (["--out", "taken"], OutputError, "maps.png"),
    ],
)
def test_what_is_refused_leaves_nothing(
    run_command: Command, models: Path, arguments: list[str], error: type[Exception], fact: str
) -> None:
    Path("taken").mkdir()
    Path("taken/maps.png").write_text("theirs")
    before = sorted(models.parent.rglob("*"))
    result = run_command(look_inside, models, *arguments, *SHORT)
    assert isinstance(result.exception, error), result.exception
    assert fact in str(result.exception)
    assert sorted(models.parent.rglob("*")) == before
