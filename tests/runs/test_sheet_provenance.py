"""Sheets that a training writes say how they were made."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import gansmith
from gansmith.cli.main import app
from gansmith.latent.provenance import Samples, read_provenance
from gansmith.latent.sources import read_sources
from gansmith.runs import sample_sheets
from gansmith.runs.run import Run
from small import SMALL


def shown(*words: object) -> dict[str, str]:
    result = CliRunner().invoke(app, ["show", *map(str, words)])
    assert result.exit_code == 0, result.exception
    return {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in result.stdout.splitlines()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("secret-host") / "run"
    settings: dict[str, Any] = {**SMALL, "images": 320, "samples_every": 160, "checkpoint_every": 160}
    return gansmith.train(**settings, out=str(place)).path


def test_the_last_sheet_is_of_the_weights_that_the_run_has(run: Path) -> None:
    made = read_provenance(run / "samples" / "000000320.png")
    renderer = Run(run).renderer(device="cpu")
    assert made.origin == renderer.origin
    assert isinstance(made.request, Samples)
    assert made.request.seeds == tuple(range(len(made.request.seeds)))
    said = shown(run / "samples" / "000000320.png")
    assert "the same weights" in said["run"]
    words = shlex.split(said["command"])
    assert words[:3] == ["gansmith", "sample", str(run)]
    result = CliRunner().invoke(app, [*words[1:], "--out", str(run.parent / "again.png")])
    assert result.exit_code == 0, result.exception
    assert read_provenance(run.parent / "again.png") == made
    with Image.open(run / "samples" / "000000320.png") as ours, Image.open(run.parent / "again.png") as again:
        assert ours.size == again.size
        difference = torch.tensor(list(ours.tobytes())).sub(torch.tensor(list(again.tobytes()))).abs()
    assert difference.max() <= 1  # made in one batch, one at a time again


def test_weights_that_are_gone_are_named_with_those_that_are_there(run: Path) -> None:
    first = run / "samples" / "000000000.png"
    made, now = read_provenance(first), Run(run).renderer(device="cpu").origin
    assert made.origin.images == 0
    said = shown(first)["run"]
    for fact in (now.model[:16], "after 320 images", made.origin.model[:16]):
        assert fact in said
    assert read_sources(str(first)).warnings(Run(run).renderer(device="cpu"))


def test_a_checkpoint_that_has_them_is_in_the_command(run: Path) -> None:
    said = shown(run / "samples" / "000000160.png")
    if "previous" in Run(run).checkpoints.names():
        assert said["command"].endswith("--checkpoint previous")


def test_nothing_of_the_place_is_in_it_and_nothing_else_moves(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training without it has the same weights and pixels."""
    monkeypatch.setattr(sample_sheets, "sheet_text", lambda *_: {})
    settings: dict[str, Any] = {**SMALL, "images": 320, "samples_every": 160, "checkpoint_every": 160}
    plain = gansmith.train(**settings, out=str(tmp_path / "plain"))
    assert plain.renderer(device="cpu").digest == Run(run).renderer(device="cpu").digest
    for sheet in sorted((run / "samples").glob("*.png")):
        with Image.open(sheet) as ours, Image.open(plain.path / "samples" / sheet.name) as theirs:
            assert ours.tobytes() == theirs.tobytes()
            assert theirs.info == {}
            assert set(ours.info) == {"gansmith"}
            assert not any(word in ours.info["gansmith"] for word in ("secret", str(run), "/"))


def test_classes_are_said(tmp_path: Path) -> None:
    network = {"name": "dcgan", "width": 4, "conditional": True}
    settings: dict[str, Any] = {**SMALL, "generator": network, "discriminator": network, "images": 32}
    made = gansmith.train(**settings, out=str(tmp_path / "run"))
    request = read_provenance(next((made.path / "samples").glob("*32.png"))).request
    assert isinstance(request, Samples)
    assert request.labels is not None
    assert request.labels[:3] == (0, 1, 2)
