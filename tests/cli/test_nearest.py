"""gansmith nearest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from gansmith.cli.nearest import nearest
from gansmith.cli.sample import sample
from gansmith.errors import DataError, OptionError, OutputError

Command = Callable[..., Result]
PIXELS = ("--features", "none", "--device", "cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number, areas in enumerate(np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)):
        Image.fromarray(areas.repeat(4, 0).repeat(4, 1)).save(tmp_path / "photos" / f"{number:02}.png")
    return tmp_path / "photos"


def test_samples_and_images_of_ones_own(run_command: Command, models: Path, photos: Path) -> None:
    run_command(sample, models, "--seeds", "3-4", "--out", "two.png")
    result = run_command(nearest, models, "7", "two.png", photos / "17.png", "--against", photos, *PIXELS)
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == ["seed 7", "seed 3", "seed 4", "17.png"]
    assert lines[3].startswith("17.png: the same image. Nearest: 17.png;")
    assert lines[-1] == "4 images with their nearest training images -> nearest.png"
    with Image.open("nearest.png") as sheet:
        assert sheet.width > sheet.height / 2


def test_the_audit_that_was_made_is_quoted(
    run_command: Command, models: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Said:
        verdict, sentence = "good", "No copies were found."

    class Judged:
        answers = {"memorisation": Said}  # noqa: RUF012  (of a test)

    monkeypatch.setattr("gansmith.evaluation.audit.audit.read", lambda folder: Judged)
    result = run_command(nearest, models, "0", "--against", photos, *PIXELS)
    assert "the audit of this run: good. No copies were found." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "error", "fact"),
    [
        (["b"], OptionError, "b"),
        (["none.jpg"], DataError, "none.jpg"),
        (["0", "--out", "a.txt"], OptionError, "a.txt"),
        (["0", "--out", "taken.png"], OutputError, "taken.png"),
        (["0", "--features", "mobilnet"], Exception, "mobilenet"),
    ],
)
def test_what_is_refused_leaves_nothing(
    run_command: Command, models: Path, photos: Path, arguments: list[str], error: type[Exception], fact: str
) -> None:
    Path("taken.png").write_text("theirs")
    before = sorted(models.parent.rglob("*"))
    result = run_command(nearest, models, *arguments, "--against", photos, "--device", "cpu")
    assert isinstance(result.exception, error)
    assert fact in str(result.exception)
    assert [path for path in sorted(models.parent.rglob("*")) if path.suffix == ".png"] == [
        path for path in before if path.suffix == ".png"
    ]
    assert Path("taken.png").read_text() == "theirs"
