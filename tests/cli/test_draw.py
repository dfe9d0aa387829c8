"""gansmith draw: every layer with its shapes, or a clear word about what is missing."""

from __future__ import annotations

import builtins
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from gansmith.cli.draw import draw
from gansmith.errors import MissingExtraError
from gansmith.system import extras

Command = Callable[..., Result]


def words(path: Path) -> list[str]:
    tree = ET.fromstring(path.read_text())
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    return [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot of Graphviz is not installed")
def test_every_layer_with_its_shapes(run_command: Command, models: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchview")
    out = tmp_path / "drawing"
    result = run_command(draw, models, "--out", out)
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"discriminator -> {out}/discriminator.svg\ngenerator -> {out}/generator.svg\n"
    generator = words(out / "generator.svg")
    assert sum(word.strip() == "ConvTranspose2d" for word in generator) == 3
    assert sum(word.strip() == "BatchNorm2d" for word in generator) == 2
    shapes = [word.strip() for word in generator if word.strip().startswith("(")]
    assert shapes[0] == "(1, 6)"
    for shape in ("(1, 6, 1, 1)", "(1, 8, 4, 4)", "(1, 4, 8, 8)", "(1, 3, 16, 16)"):
        assert shape in shapes
    discriminator = words(out / "discriminator.svg")
    shapes = [word.strip() for word in discriminator if word.strip().startswith("(")]
    for shape in ("(1, 3, 16, 16)", "(1, 4, 8, 8)", "(1, 8, 4, 4)", "(1, 1, 1, 1)"):
        assert shape in shapes
    assert sorted(file.name for file in out.iterdir()) == ["discriminator.svg", "generator.svg"]


@pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot of Graphviz is not installed")
def test_one_model_file(run_command: Command, models: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchview")
    result = run_command(draw, models / "generator.safetensors", "--out", tmp_path / "drawing")
    assert result.exit_code == 0, result.exception
    assert [file.name for file in (tmp_path / "drawing").iterdir()] == ["generator.svg"]


def test_without_the_program(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchview")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run_command(draw, models, "--out", tmp_path / "drawing")
    assert isinstance(result.exception, MissingExtraError)
    assert str(result.exception) == (
        "drawing a network needs the program dot of Graphviz, which is not installed: "
        "apt install graphviz, brew install graphviz, or https://graphviz.org/download"
    )
    assert not (tmp_path / "drawing").exists()


@pytest.mark.parametrize("package", ["torchview", "graphviz"])
def test_without_the_packages(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    original = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    if package == "graphviz":
        monkeypatch.delitem(__import__("sys").modules, "graphviz", raising=False)
    result = run_command(draw, models, "--out", tmp_path / "drawing")
    assert isinstance(result.exception, MissingExtraError)
    assert str(result.exception) == (f"drawing a network needs the Python package {package}: {extras.install('draw')}")
