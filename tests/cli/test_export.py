"""gansmith export: files where they were asked for, what was compared, or a clear word about what is missing."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from gansmith.cli.export import export
from gansmith.errors import MissingExtraError, OptionError
from gansmith.runs.run import Run
from gansmith.system import extras
from refusals import refused

Command = Callable[..., Result]


def test_a_program_and_a_folder(run_command: Command, models: Path, tmp_path: Path) -> None:
    result = run_command(export, models, "--to", "program")
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith("program -> generator.pt2; 64 compared with PyTorch")
    assert (tmp_path / "generator.pt2").is_file()
    result = run_command(export, models, "--to", "folder", "--licence", "mit", "--out", "photos")
    assert result.exit_code == 0, result.exception
    assert Run(tmp_path / "photos").sample([3], device="cpu").images.shape == (1, 3, 16, 16)


def test_a_folder_without_a_licence_is_refused_where_nobody_can_be_asked(run_command: Command, models: Path) -> None:
    error = run_command(export, models, "--to", "folder").exception
    assert isinstance(error, OptionError)
    assert "--licence" in str(error)


def test_a_translation_needs_its_direction(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    error = run_command(export, cycle, "--to", "program").exception
    assert isinstance(error, OptionError)
    for fact in ("--direction a", "--direction b"):
        assert fact in str(error)
    result = run_command(export, cycle, "--to", "program", "--direction", "b", "--out", "to_b.pt2")
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "to_b.pt2").is_file()
    folder = run_command(export, cycle, "--to", "folder", "--direction", "b", "--licence", "mit").exception
    assert isinstance(folder, OptionError)
    assert "--to onnx" in str(folder)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_without_the_packages(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    original = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return object() if name in ("onnx", "onnxruntime", "onnxscript") else original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    result = run_command(export, models, "--to", "onnx")
    monkeypatch.undo()
    with refused(package, extras.install("export"), error=MissingExtraError):
        raise result.exception or AssertionError
    assert not (tmp_path / "generator.onnx").exists()
