"""Commands that the page says, run again: they write the bytes that it answered."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import unquote

import httpx
from typer.testing import CliRunner

from gansmith.cli.main import app


def run_words(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (words, result.output)


def repeated(answer: httpx.Response, tmp_path: Path) -> bytes:
    """What the command of an answer writes, with --out in `tmp_path`."""
    assert answer.status_code == 200, answer.text
    words = shlex.split(unquote(answer.headers["gansmith-command"]))
    assert words.pop(0) == "gansmith"
    at = words.index("--out") + 1
    out = words[at]
    words[at] = f"{tmp_path}/made/{out}"
    run_words(words)
    (written,) = [f for f in (tmp_path / "made").rglob("*") if f.is_file() and "-strip" not in f.name]
    return written.read_bytes()
