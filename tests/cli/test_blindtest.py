"""gansmith blindtest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gansmith.cli.blindtest import blindtest
from gansmith.errors import OptionError
from gansmith.evaluation.blind.code import Sitting, encode

Command = Callable[..., Result]


def code(wrong: int, *, kind: str = "real or made", test: str = "GEVK91XP", person: int = 5) -> str:
    truth = tuple(at < 20 for at in range(40))
    return encode(Sitting(kind, test, person, truth, tuple(one != (at < wrong) for at, one in enumerate(truth))))  # type: ignore[arg-type]


def test_a_page_is_written(run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_command(blindtest, models, "--against", "digits", "--looks", 12, "--device", "cpu", "--seed", 3)
    assert result.exit_code == 0, result.exception
    text = (tmp_path / "blindtest.html").read_text()
    assert text.startswith("<!doctype html>")
    assert "12 looks" in result.stdout
    assert result.stdout.endswith("-> blindtest.html\n")
    test = result.stdout.partition("test ")[2][:8]
    assert f"Blind test {test}" in text
    assert "drawn from digits" in result.stdout
    again = run_command(
        blindtest, models, "--against", "digits", "--looks", 12, "--device", "cpu", "--seed", 3, "--out", "b.html"
    )
    assert again.exit_code == 0, again.exception
    assert (tmp_path / "b.html").read_text() == text


def test_codes_are_checked_and_added_up(run_command: Command) -> None:
    result = run_command(blindtest, "--read", code(4), code(8, person=6), code(6, person=7).lower())
    assert result.exit_code == 0, result.exception
    for fact in ("GEVK91XP", "3 people", "120 looks", "15 % (9 to 23)", "person 2: 20 % (9 to 36)", "over people"):
        assert fact in result.stdout
    assert "can tell them apart" in result.stdout
    assert "made taken for real: 30 %" in result.stdout
    assert "real taken for made: 0 %" in result.stdout


def test_two_runs(run_command: Command) -> None:
    text = run_command(blindtest, "--read", code(5, kind="a or b")).stdout
    assert "first run chosen in 88 %" in text
    assert "The first run looks more real" in text
    assert "1 person" in text
    text = run_command(blindtest, "--read", code(20, kind="a or b")).stdout
    assert "do not show" in text


def test_a_code_twice_is_one_person_and_tests_are_kept_apart(run_command: Command) -> None:
    text = run_command(blindtest, "--read", code(4), code(4), code(9, test="00000001")).stdout
    assert "1 given twice" in text
    assert "2 different tests" in text
    assert text.count("1 person") == 2


def test_mistakes(run_command: Command, models: Path) -> None:
    broken = code(4)[:-9] + "0000-0000"
    for arguments, facts in (
        (("--read", broken), (broken, "Copy it once more")),
        (("--read", str(models)), ("no code", str(models))),
        (("--read", code(4), "--looks", 20), ("--looks", "--read")),
        ((models, "--against", "digits", "--out", "a.png"), ("a.png", ".html")),
        ((models, "--against", "digits", "--looks", 1), ("looks = 1", "at least 10")),
        ((models,), ("--against",)),
    ):
        result = run_command(blindtest, *arguments)
        assert isinstance(result.exception, OptionError), result.exception
        for fact in facts:
            assert fact in str(result.exception)
    assert run_command(blindtest).exit_code == 2
