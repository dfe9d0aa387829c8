"""Commands that messages advise can be pasted into a shell, also where a path holds spaces and quotes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import gansmith
from gansmith.cli.arguments import next_steps
from gansmith.cli.train import train
from gansmith.errors import RunError
from small import OPTIONS, SMALL

NAME = "it's a run & mine"


def advised(said: str) -> list[list[str]]:
    """The words of each command in `said`, as a shell reads them. Prose after a sentence's end is not part of one."""
    return [shlex.split(line) for line in re.findall(r"gansmith (?:resume|sample|interpolate|evaluate) .*", said)]


def test_next_steps_and_refusals_quote_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    begun = run_command(train, *OPTIONS, "--images", "32", "--out", NAME)
    commands = advised(begun.stdout)
    assert len(commands) == 4, begun.output
    assert all(words[2] == NAME for words in commands)

    complete = run_command(train, *OPTIONS, "--images", "32", "--out", NAME)
    assert [words[2] for words in advised(complete.stderr)] == [NAME]

    with pytest.raises(RunError) as other:
        gansmith.train(**{**SMALL, "seed": 1}, out=NAME)
    assert [Path(words[2]).name for words in advised(str(other.value))] == [NAME]


def test_the_last_line_names_the_film_of_a_translation_too(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "to_b.safetensors").touch()
    assert "progress.webp" not in next_steps(tmp_path)[0]
    (tmp_path / "progress.webp").touch()
    done, commands = next_steps(tmp_path)
    assert f"{tmp_path}/progress.webp" in done
    assert "translate" in commands[0]
