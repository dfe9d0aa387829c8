"""Groups of commands: without arguments they help; an unknown option names the nearest by spelling or meaning."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from gansmith.cli import group
from gansmith.cli import main as cli
from gansmith.experiment.layers import resolve
from gansmith.experiment.sources import from_assignments


def said(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: str) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["gansmith", *arguments])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as raised:
        cli.main()
    out, error = capsys.readouterr()
    return raised.value.code, out, error


@pytest.mark.parametrize(("arguments", "command"), [((), "train"), (("data",), "check")])
def test_without_arguments_it_helps_and_succeeds(
    arguments: tuple[str, ...], command: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    status, out, error = said(monkeypatch, capsys, *arguments)
    assert status == 0
    assert "Usage" in out
    assert command in out
    assert error == ""


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["train", "digits", "--metrics", "kid"], "--set metrics.names=kid"),
        (["train", "digits", "--resolution", "64"], "--size"),
        (["train", "digits", "--batch-size=8"], "--batch"),
        (["train", "digits", "--epochs", "3"], "--images"),
        (["train", "digits", "--lr", "1"], "--set optimizer.generator.lr"),
        (["train", "digits", "--half-life", "1"], "--set averaging.half_life"),
        (["train", "digits", "--objectiv", "hinge"], "--objective"),
        (["sample", "run", "--n", "4"], "--seeds"),
        (["evaluate", "run", "--n-samples", "4"], "--samples"),
        (["data", "pack", "a", "b.npy", "--overwrite"], "--force"),
        (["bench", "--resolution", "8"], "--size"),
    ],
)
def test_the_nearest_option_by_spelling_or_meaning(
    arguments: list[str], near: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    status, out, error = said(monkeypatch, capsys, *arguments)
    assert status == 2
    assert out == ""
    option = next(word for word in arguments if word.startswith("--")).partition("=")[0]
    assert f"No such option: {option}." in error
    assert f"Did you mean {near}" in error


@pytest.mark.parametrize("arguments", [["train", "--frobnicate"], ["data", "check", "digits", "--metrics"]])
def test_nothing_is_guessed_where_nothing_is_near(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    _, _, error = said(monkeypatch, capsys, *arguments)
    assert "No such option" in error
    assert "--set" not in error
    assert "--trust" not in error


def test_what_is_suggested_is_there() -> None:
    """Every option stands in some command, and every setting is taken as it is printed."""
    every = {
        option
        for info in (*cli.app.registered_commands, *cli.app.registered_groups[0].typer_instance.registered_commands)  # type: ignore[union-attr]
        for option in _options(info.callback)
    }
    assert set(group._ONE_MEANING) - every == set()
    for field in group._FIELDS:
        assignments = field.split(" --set ")
        if not field.startswith("classifier"):
            assert resolve([from_assignments(assignments)])[1]


def _options(callback: Any) -> set[str]:
    names = set()
    for name, hint in callback.__annotations__.items():
        names.add(f"--{name.replace('_', '-')}")
        names |= {word.strip("\"'(),") for word in str(hint).split() if word.strip("\"'(),").startswith("--")}
    return names


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("command", [(), ("train",), ("evaluate",), ("data",), ("data", "pack"), ("features",)])
def test_help_is_whole_at_any_width(
    columns: int, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["gansmith", *command, "--help"])
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        cli.main()
    out = capsys.readouterr().out
    assert "…" not in out
    lines = [line.rstrip() for line in out.splitlines() if "Usage:" not in line]  # which breaks where it can
    assert max(map(len, lines)) <= columns
    if command == ("train",):
        assert "--checkpoint-every" in out
        assert "--skip-unreadable" in out
