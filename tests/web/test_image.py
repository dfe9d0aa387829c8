"""Images of the page are the files of the command line, byte for byte."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import unquote

import httpx
from pages import Served
from typer.testing import CliRunner

from gansmith.cli.main import app


def written(*words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def test_an_image_is_the_command_lines_file(served: Served, runs: Path, tmp_path: Path) -> None:
    written("sample", runs / "toy", "--seeds", "7", "--out", f"{tmp_path}/each/", "--scale", "1")
    with served.client() as client:
        answer = client.get("/api/runs/toy/image?seed=7")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == (tmp_path / "each" / "7.png").read_bytes()
    words = shlex.split(unquote(answer.headers["gansmith-command"]))
    assert words[:2] == ["gansmith", "sample"]


def test_the_runs_are_listed(client: httpx.Client) -> None:
    (toy,) = client.get("/api/runs").json()
    assert toy["name"] == "toy"
    assert toy["size"] == [8, 8]
    assert toy["images"] == 320
    assert toy["state"] == "ended"
    assert len(toy["digest"]) == 64
    one = client.get("/api/runs/toy")
    assert one.json().items() >= toy.items()
    assert client.get("/api/runs/toy/image?seed=1").headers["gansmith-digest"] == toy["digest"]
    assert client.get("/api/runs/none").status_code == 404
    assert "/api/runs/{run}/image" in client.get("/openapi.json").json()["paths"]
