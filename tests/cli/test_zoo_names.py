"""A model of the zoo by its name, wherever a command takes a RUN; a path of that name comes first."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from gansmith import zoo
from gansmith.cli.main import app
from gansmith.errors import RunError
from gansmith.system.paths import shell_word

ROOT: Any = get_command(app)
# what stands after RUN for the parser, where more is required
MORE = {
    "interpolate": "3 8",
    "arithmetic": "--plus 1",
    "translate": "in.png out.png --to b",
    "edit": "3 --along smile:1",
    "export": "--to onnx",
    "probe": "--data digits",
    "push": "somebody/new",
    "compare": "",
}
# what makes something of a model of the zoo, within seconds; `files` is a folder of images and a PNG
WORKS = [
    "sample hand_signs --seeds 0,1 --out a.png",
    "interpolate hand_signs 3 8 --steps 1 --out a.png",
    "arithmetic hand_signs --plus 1,2 --out a.png",
    "invert hand_signs one.png --steps 1 --restarts 1 --out a.safetensors",
    "look-inside hand_signs --layers",
    "nearest hand_signs 0 --against photos --features none --out a.png",
    "show a-sheet.png hand_signs",
    "export hand_signs --to program --out a.pt2",
]
# what would write into it, and the words that lead on
REFUSED = {
    "directions hand_signs": "cp -r",
    "directions hand_signs --name 1=smile": "cp -r",
    "edit hand_signs 3 --along pca-1:2": "cp -r",
    "invert hand_signs --train-encoder": "cp -r",
    "invert hand_signs one.png --method hybrid": "--method",
    "evaluate hand_signs --against photos": "--out",
    "compare hand_signs emoji --watch": "cp -r",
    "resume hand_signs": "--from hand_signs",
}


def run_arguments() -> Iterator[tuple[str, str]]:
    """Every command with an argument that is a run, and the argument's name."""
    for name, command in ROOT.commands.items():
        for parameter in command.params:
            if parameter.param_type_name == "argument" and parameter.name in ("run", "runs", "subject"):
                yield name, parameter.name


def parsed(command: str, words: list[str]) -> dict[str, Any]:
    """The values that a command gets for words of its line."""
    return dict(ROOT.commands[command].make_context(command, words).params)


def files() -> set[Path]:
    return {file for name in zoo.names() for file in (zoo.folder(name) or Path()).rglob("*")}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with images, and a sheet of the zoo's."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(4):
        noise = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"{number}.png")
    Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(tmp_path / "one.png")
    return tmp_path


def words_of(command: str, run: str) -> list[str]:
    first = ["one.png"] if command == "show" else []
    return [*first, run, *shlex.split(MORE.get(command, ""))]


def test_these_commands_take_a_run() -> None:
    """A new one is tried without another line, under the names of its argument."""
    assert len([*run_arguments()]) >= 20
    for name, command in ROOT.commands.items():
        for parameter in command.params:
            if parameter.param_type_name == "argument" and "RUN" in (parameter.metavar or ""):
                assert (name, parameter.name) in {*run_arguments()}


@pytest.mark.parametrize(("command", "argument"), [*run_arguments()])
def test_a_name_is_a_model_of_the_zoo_and_a_path_comes_first(command: str, argument: str, here: Path) -> None:
    def value(run: str) -> str:
        given = parsed(command, words_of(command, run))[argument]
        return str(given[0] if isinstance(given, list | tuple) else given)

    assert value("hand_signs") == str(zoo.folder("hand_signs"))
    assert value("absent") == "absent"
    if argument == "runs":
        assert value("emoji@latest") == f"{zoo.folder('emoji')}@latest"
    (here / "hand_signs").mkdir()
    assert value("hand_signs") == "hand_signs"


@pytest.mark.parametrize("line", WORKS)
def test_it_works_and_is_named_by_its_name(line: str, here: Path) -> None:
    before = files()
    runner = CliRunner()
    if "a-sheet.png" in line:
        assert not runner.invoke(app, shlex.split("sample hand_signs --seeds 0-3 --out a-sheet.png")).exception
    done = runner.invoke(app, shlex.split(line))
    assert done.exception is None, done.exception
    assert "hand_signs" in done.output or "look-inside" in line
    assert str(zoo.folder("hand_signs")) not in done.output
    assert files() == before


@pytest.mark.parametrize(("line", "way_out"), [*REFUSED.items()])
def test_what_would_write_into_it_is_refused(line: str, way_out: str, here: Path) -> None:
    before = files()
    error = CliRunner().invoke(app, shlex.split(line)).exception
    assert isinstance(error, RunError), error
    for fact in ("hand_signs", "zoo", way_out):
        assert fact in str(error)
    by_path = line.replace("hand_signs", shell_word(zoo.folder("hand_signs") or ""), 1)
    assert isinstance(CliRunner().invoke(app, shlex.split(by_path)).exception, RunError)
    assert files() == before
