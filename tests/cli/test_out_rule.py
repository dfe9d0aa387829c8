"""One rule for the output of every command: refused before any work where a file would be lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
import typer
from translating import write
from typer.testing import Result

from gansmith.cli.arithmetic import arithmetic
from gansmith.cli.blindtest import blindtest
from gansmith.cli.compare import compare
from gansmith.cli.data import pack
from gansmith.cli.draw import draw
from gansmith.cli.edit import edit
from gansmith.cli.evaluate import evaluate
from gansmith.cli.export import export
from gansmith.cli.interpolate import interpolate
from gansmith.cli.invert import invert
from gansmith.cli.look_inside import look_inside
from gansmith.cli.main import app, main
from gansmith.cli.map_ import map_
from gansmith.cli.nearest import nearest
from gansmith.cli.probe import probe
from gansmith.cli.sample import sample
from gansmith.cli.translate import translate
from gansmith.errors import OutputError
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.direction_file import save_directions
from gansmith.latent.renderer import Renderer
from gansmith.runs.run import Run
from gansmith.runs.train import train

Command = Callable[..., Result]
SMALL: dict[str, Any] = {"size": 8, "images": 32, "batch": 16, "generator": {"width": 4}, "discriminator": {"width": 4}}

_CPU = ("--device", "cpu")
COMMANDS: dict[str, tuple[Callable[..., None], tuple[Any, ...], str, tuple[str, ...], str]] = {
    # case: command, arguments, the output, the files that it becomes, the free name
    "sheet": (sample, ("model", "--seeds", "0-3", "--out"), "a.png", ("a.png",), "a-2.png"),
    "images": (sample, ("model", "--seeds", "8-10", "--out"), "a", ("a/09.png",), "a-2/"),
    "strip": (interpolate, ("model", "3", "8", "--out"), "a.jpg", ("a.jpg",), "a-2.jpg"),
    "film": (interpolate, ("model", "3", "8", "--out"), "a.webp", ("a.webp",), "a-2.webp"),
    "frames": (interpolate, ("model", "3", "8", "--steps", "1", "--out"), "a/", ("a/8.png",), "a-2/"),
    "arithmetic": (arithmetic, ("model", "--plus", "1,4", "--out"), "a.png", ("a.png",), "a-2.png"),
    "draw": (draw, ("model", "--out"), "a", ("a/generator.svg",), "a-2/"),
    "export": (export, ("model", "--to", "program", "--out"), "a.pt2", ("a.pt2",), "a-2.pt2"),
    "export to a page": (
        export,
        ("model", "--to", "html", "--runtime", "package", "--out"),
        "a.html",
        ("a.html",),
        "a-2.html",
    ),
    "export to a folder": (
        export,
        ("model", "--to", "folder", "--licence", "mit", "--out"),
        "a",
        ("a/README.md", "a/generator.pt2"),
        "a-2/",
    ),
    "invert": (
        invert,
        ("model", "mine.png", "--out"),
        "a.safetensors",
        ("a.safetensors", "a.png"),
        "a-2.safetensors",
    ),
    "look inside": (look_inside, ("model", "--out"), "a", ("a/maps.png", "a/units.png"), "a-2/"),
    "edit": (edit, ("model", "7", "--along", "smile:1", "--out"), "a.png", ("a.png", "a-strip.png"), "a-2.png"),
    "nearest": (nearest, ("model", "0", "--against", "digits", "--out"), "a.png", ("a.png",), "a-2.png"),
    "map": (map_, ("model", "--against", "digits", "--out"), "a.png", ("a.png",), "a-2.png"),
    "probe": (probe, ("model", "--data", "digits", "--out"), "a.json", ("a.json",), "a-2.json"),
    "compare": (compare, ("model", "model", "--out"), "a", ("a/compare.png",), "a-2/"),
    "blindtest": (blindtest, ("model", "--against", "digits", "--out"), "a.html", ("a.html",), "a-2.html"),
    "evaluate": (evaluate, ("model", "--against", "digits", "--out"), "a", ("a/report.html",), "a-2/"),
    "pack": (pack, ("digits",), "a.npy", ("a.labels.npy",), "a-2.npy"),
}
WORK = (
    "gansmith.latent.renderer.Renderer.render",
    "gansmith.judge.linear_probe.probe",
    "gansmith.judge.image_map.image_map",
    "gansmith.judge.compare.compare_runs.compare",
    "gansmith.judge.blind_test.blind_test",
    "gansmith.judge.audit_run.subject_of",
    "gansmith.data.pack.open_source",
    "gansmith.records.graph.draw",
    "gansmith.judge.insides.Insides.render",
    "gansmith.export.write.portable",
    "gansmith.export.write.web_runtime",
)


class BegunError(Exception):
    """The work of a command began."""


def begin(*_: object, **__: object) -> NoReturn:
    raise BegunError


def parameters(command: Any, words: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """{command's words: its parameters} of a tree of commands."""
    if hasattr(command, "commands"):
        return {
            name: found
            for word, one in command.commands.items()
            for name, found in parameters(one, (*words, word)).items()
        }
    return {" ".join(words): {parameter.name for parameter in command.params}}


def test_every_command_that_writes_where_a_user_says_has_force() -> None:
    writers = {name for name, names in parameters(typer.main.get_command(app)).items() if "out" in names}
    forced = {name for name, names in parameters(typer.main.get_command(app)).items() if "force" in names}
    forced -= {"push"}  # overwrites what is on a hub
    assert writers - {"train"} == forced  # a run's folder is continued, and another experiment refused
    tested = {function.__name__.strip("_").replace("_", "-") for function, *_ in COMMANDS.values()} | {"translate"}
    assert {name.split()[-1] for name in forced} == tested


@pytest.mark.parametrize("case", COMMANDS)
def test_what_exists_is_refused_before_any_work(
    case: str, run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, arguments, out, files, free = COMMANDS[case]
    write(tmp_path / "mine.png")
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("theirs")
    if case == "edit":
        origin = Run(models).renderer(device="cpu").origin
        (models / "directions").mkdir()
        smile = Directions((Direction(torch.eye(6)[0], "smile"),), "z", origin)
        save_directions(models / "directions" / "directions.safetensors", smile)
    for work in WORK:
        monkeypatch.setattr(work, begin)
    before = sorted(tmp_path.rglob("*"))
    result = run_command(command, *arguments, out)
    assert isinstance(result.exception, OutputError), result.exception
    for fact in (*files, free, "--force"):
        assert fact in str(result.exception)
    assert sorted(tmp_path.rglob("*")) == before
    assert {(tmp_path / file).read_text() for file in files} == {"theirs"}
    assert isinstance(run_command(command, *arguments, out, "--force").exception, BegunError)
    for file in files:
        (tmp_path / file).unlink()
    assert isinstance(run_command(command, *arguments, out).exception, BegunError)


def test_translate(run_command: Command, cycle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in" / "x.png")
    write(tmp_path / "in" / "y.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "y.png").write_text("theirs")
    monkeypatch.setattr("gansmith.latent.translate.Translator.translations", begin)
    result = run_command(translate, cycle, "in", "out", "--to", "b")
    assert isinstance(result.exception, OutputError)
    for fact in ("out/y.png", "out-2/", "--force"):
        assert fact in str(result.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["y.png"]
    assert isinstance(run_command(translate, cycle, "in", "out", "--to", "b", "--force").exception, BegunError)
    style = run_command(translate, cycle, "in/x.png", "in/y.png", "--to", "b", "--style-from", "in/y.png", "--force")
    assert isinstance(style.exception, OutputError)
    assert "in/y.png" in str(style.exception)


@pytest.mark.parametrize(
    ("command", "arguments", "default", "second"),
    [
        (sample, ("--seeds", "0-3"), "samples.png", "samples-2.png"),
        (interpolate, ("3", "8", "--steps", "2"), "interpolation.png", "interpolation-2.png"),
        (arithmetic, ("--plus", "1"), "arithmetic.png", "arithmetic-2.png"),
        (blindtest, ("--against", "digits"), "blindtest.html", "blindtest-2.html"),
    ],
)
def test_a_default_name_takes_the_next_free_one_and_says_so(
    command: Callable[..., None],
    arguments: tuple[str, ...],
    default: str,
    second: str,
    run_command: Command,
    models: Path,
    tmp_path: Path,
) -> None:
    first = run_command(command, models, *arguments, *_CPU)
    assert first.stderr == ""
    (tmp_path / default).write_bytes(b"theirs")
    again = run_command(command, models, *arguments, *_CPU)
    assert f"{default} exists" in again.stderr
    assert again.stdout.endswith(f"-> {second}\n")
    assert (tmp_path / default).read_bytes() == b"theirs"
    assert (tmp_path / second).is_file()
    assert run_command(command, models, *arguments, *_CPU, "--force").stdout.endswith(f"-> {default}\n")
    assert (tmp_path / default).read_bytes() == (tmp_path / second).read_bytes()


def test_draw_takes_the_next_folder(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []
    monkeypatch.setattr("gansmith.records.graph.draw", lambda network, path, **_: drawn.append(path))
    (tmp_path / "drawing").mkdir()
    run_command(draw, models)
    assert {path.parent.name for path in drawn} == {"drawing"}
    (tmp_path / "drawing" / "generator.svg").touch()
    drawn.clear()
    assert "drawing-2" in run_command(draw, models).stderr
    assert {path.parent.name for path in drawn} == {"drawing-2"}


def test_a_file_that_appears_while_images_are_made(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made is kept, beside the file."""
    render = Renderer.render

    def appear(self: Renderer, *arguments: Any, **options: Any) -> Any:
        (tmp_path / "a.png").write_text("theirs")
        return render(self, *arguments, **options)

    monkeypatch.setattr(Renderer, "render", appear)
    for number, (command, *arguments) in enumerate(
        [
            (sample, "--seeds", "0-3"),
            (interpolate, "3", "8"),
            (interpolate, "3", "8", "--as", "film"),
            (arithmetic, "--plus", "1"),
        ]
    ):
        (tmp_path / "a.png").unlink(missing_ok=True)
        result = run_command(command, models, *arguments, "--out", "a.png", *_CPU)
        assert isinstance(result.exception, OutputError)
        assert f"a-{number + 2}.png" in str(result.exception)
        assert (tmp_path / "a.png").read_text() == "theirs"
        assert (tmp_path / f"a-{number + 2}.png").read_bytes().startswith(b"\x89PNG")


def test_a_set_is_not_packed_over_itself(run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "a.npy", np.zeros((4, 8, 8, 3), np.uint8))
    before = (tmp_path / "a.npy").read_bytes()
    result = run_command(pack, "a.npy", "./a.npy", "--size", "4", "--force")
    assert isinstance(result.exception, OutputError)
    assert (tmp_path / "a.npy").read_bytes() == before


def test_a_runs_own_report_is_replaced_and_its_images_take_no_sample(
    run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(64):
        write(tmp_path / "photos" / f"{number}.png")
    small = {
        "size": 8,
        "images": 32,
        "batch": 16,
        "holdout": 0.5,
        "generator": {"width": 4},
        "discriminator": {"width": 4},
    }
    train("photos", out="run", recipe="dcgan", **small)
    (tmp_path / "run" / "audit").mkdir()
    (tmp_path / "run" / "audit" / "audit.json").write_text("of the checkpoint before")
    options = ("--samples", "40", "--repeats", "1", *_CPU)
    for more in ((), ("--out", "run/audit"), ("--out", tmp_path / "run" / "audit")):
        result = run_command(evaluate, "run", *options, *more)
        assert result.exit_code == 0, result.exception
        assert "of the checkpoint before" not in (tmp_path / "run" / "audit" / "audit.json").read_text()
    inside = [
        (sample, ("run", "--seeds", "0-3", "--out", "photos/grid.png")),
        (sample, ("run", "--seeds", "0-3", "--out", "photos/grid/")),
        (interpolate, ("run", "3", "8", "--out", "photos/film.webp")),
        (arithmetic, ("run", "--plus", "1", "--out", "photos/sum.png")),
        (compare, ("run@latest", "run", "--out", "photos/compared")),
    ]
    for command, arguments in inside:
        result = run_command(command, *arguments, *_CPU)
        assert isinstance(result.exception, OutputError)
        assert "photos" in str(result.exception)
    assert len(list((tmp_path / "photos").iterdir())) == 64


def test_a_run_inside_its_images_can_be_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cd photos; gansmith train .`: its sheets are no photographs."""
    for number in range(20):
        write(tmp_path / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    run = train(".", recipe="dcgan", **SMALL)
    assert run.path.resolve().is_relative_to(tmp_path)
    assert run.resume(images=64).checkpoint()["images"] == 64
    assert train(".", recipe="dcgan", **{**SMALL, "images": 96}).checkpoint()["images"] == 96


def test_the_exit_status(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").touch()
    monkeypatch.setattr("sys.argv", ["gansmith", "sample", str(models), "--out", "a.png"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: a.png exists")
    assert said.count("\n") == 1
