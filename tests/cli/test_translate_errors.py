"""gansmith translate: mistakes and what the message names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from translating import Command, done, write

from gansmith.cli.translate import translate
from gansmith.errors import (
    CheckpointError,
    DataError,
    GansmithError,
    OptionError,
    RunError,
)
from gansmith.runs.run import Run

# ---- mistakes


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            ["cycle", "in.png", "out.png"],
            OptionError,
            "cycle translates to a and to b: say which with --to a or --to b",
        ),
        (["nowhere", "in.png", "out.png"], RunError, "there is no run nowhere"),
        (["cycle", "no.png", "out.png", "--to", "b"], DataError, "no file or folder no.png, and no built-in dataset"),
        (
            ["cycle", "in", "out.png", "--to", "b"],
            OptionError,
            "in holds 2 images: give a folder to write to, out.png/",
        ),
        (["cycle", "in", "in", "--to", "b"], OptionError, "in/1.png is an image of in itself and would be overwritten"),
        (
            ["cycle", "in.png", "in.png", "--to", "b"],
            OptionError,
            "in.png is an image of in.png itself and would be ov",
        ),
        (
            ["cycle", "in.png", "out.xyz", "--to", "b"],
            OptionError,
            "cannot write 'out.xyz': an image file ends in .png, .jpg, .jpeg, .webp; for a folder give out.xyz/",
        ),
        (["cycle", "in.png", "out.png", "--to", "b", "--raw"], CheckpointError, "cycle holds models only; --raw and"),
        (["cycle", "in.png", "out.png", "--to", "b", "--device", "gpu"], GansmithError, "gpu"),
        (["cycle", "in.png", "o.jpg", "--to", "b", "--keep-alpha"], OptionError, "a JPEG has no transparency, write a"),
        (
            ["cycle", "in.png", "out.png", "--to", "b", "--styles", "2"],
            OptionError,
            "multimodal",
        ),
        (
            ["cycle", "in.png", "o.png", "--to", "b", "--style-from", "in.png"],
            OptionError,
            "multimodal",
        ),
        (["cycle", "ring", "out", "--to", "b"], DataError, "ring is a set of points, not of images"),
    ],
)
def test_mistakes(
    arguments: list[str],
    kind: type[GansmithError],
    message: str,
    run_command: Command,
    cycle: Path,
    tmp_path: Path,
) -> None:
    before = set(tmp_path.rglob("*"))
    write(tmp_path / "in.png")
    for name in ("1.png", "2.png"):
        write(tmp_path / "in" / name)
    result = run_command(translate, *arguments)
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert {path.name for path in {*tmp_path.rglob("*")} - before} == {"in", "in.png", "1.png", "2.png"}


def test_mistakes_about_styles(run_command: Command, several: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    for name in ("1.png", "2.png"):
        write(tmp_path / "in" / name)
    given = [several, "in.png", "out.png", "--to", "b"]
    both = run_command(translate, *given, "--style-from", "in.png", "--styles", 2)
    assert str(both.exception) == "--style-from gives one style: leave --styles out"
    many = run_command(translate, *given, "--style-from", "in")
    assert str(many.exception) == "--style-from takes one image, and in holds 2"
    for styles in (0, -1, 10**9):
        assert run_command(translate, *given, "--styles", styles).exit_code == 2
    assert not (tmp_path / "out.png").exists()


def test_a_run_of_a_generator(run_command: Command, models: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    result = run_command(translate, models, "in.png", "out.png")
    assert isinstance(result.exception, RunError)
    assert "it holds discriminator, generator. It generates images: gansmith sample" in str(result.exception)


def test_the_weights_asked_for_reach_the_run(
    run_command: Command, cycle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    plain = Run.network

    def network(self: Run, player: str, **options: Any) -> Any:
        asked.append((player, options))
        return plain(self, player)

    monkeypatch.setattr(Run, "network", network)
    write(tmp_path / "in.png")
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "a", "--raw", "--checkpoint", "best"))
    assert asked == [("to_a", {"raw": True, "checkpoint": "best"})]
